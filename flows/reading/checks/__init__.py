"""What the model alone cannot see. Each module has `check(root: Node) -> Iterator[Mistake]`.

To add a check, write a module here and its test; it is found by itself. A check reads nodes rather
than the model, so that it also works on a file that has other mistakes.
"""
