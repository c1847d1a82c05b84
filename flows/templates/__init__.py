"""Integrations to begin from, one YAML file each; `astrio new NAME --template …` copies one."""
