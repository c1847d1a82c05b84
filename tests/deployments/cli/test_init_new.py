"""`astrio init` and `astrio new`."""

from __future__ import annotations

from pathlib import Path

from tests.deployments.cli.cli import call, called


def test_init_writes_an_example_that_passes_check(folder: Path) -> None:
    result = call("init")
    assert result.exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        ".gitignore",
        "integration.schema.json",
        "shop-orders.yaml",
    ]
    assert [file["ok"] for file in called("check")["files"]] == [True]


def test_init_tells_editors_where_the_schema_is(folder: Path) -> None:
    call("init")
    first = Path("shop-orders.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=integration.schema.json"


def test_init_makes_the_folder_and_tells_to_enter_it(folder: Path) -> None:
    assert "  cd my/project\n" in call("init", "my/project").stdout
    assert Path("my/project/shop-orders.yaml").exists()


def test_init_keeps_what_is_there(folder: Path) -> None:
    Path(".gitignore").write_text("mine\n")
    assert call("init").exit_code == 0
    assert Path(".gitignore").read_text() == "mine\n"


def test_init_does_not_overwrite_its_example(folder: Path) -> None:
    Path("shop-orders.yaml").write_text("mine\n")
    result = call("init")
    assert result.exit_code == 2
    assert "exists already" in result.stderr
    assert Path("shop-orders.yaml").read_text() == "mine\n"


def test_init_where_nothing_can_be_written_exits_with_2(folder: Path) -> None:
    Path("file").write_text("")
    result = call("init", "file/project")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_new_writes_an_integration_of_that_name(folder: Path) -> None:
    assert call("new", "customers").exit_code == 0
    assert "name: customers\n" in Path("customers.yaml").read_text()
    assert called("check", "customers")["files"][0]["ok"]


def test_new_begins_from_the_template_asked_for(folder: Path) -> None:
    call("new", "issues", "--template", "github-issues")
    assert "api.github.com" in Path("issues.yaml").read_text()


def test_new_points_editors_to_a_schema_that_is_there(folder: Path) -> None:
    call("schema", "-o", "integration.schema.json")
    call("new", "customers")
    assert Path("customers.yaml").read_text().startswith("# yaml-language-server: ")


def test_new_without_a_name_lists_the_templates(folder: Path) -> None:
    result = call("new")
    assert result.exit_code == 0
    assert "github-issues" in result.stdout


def test_new_does_not_overwrite(folder: Path) -> None:
    call("new", "customers")
    assert call("new", "customers").exit_code == 2


def test_new_refuses_a_name_that_no_integration_can_have(folder: Path) -> None:
    result = call("new", "My Shop")
    assert result.exit_code == 2
    assert list(folder.iterdir()) == []


def test_new_refuses_an_unknown_template(folder: Path) -> None:
    result = call("new", "customers", "-t", "nothing")
    assert result.exit_code == 2
    assert "github-issues" in result.stderr
