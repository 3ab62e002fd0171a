"""Makes functions of the Swift examples of a page, and one that calls them all.

    python examples.py PAGE.md FILE.swift
"""

import pathlib
import re
import sys

page = pathlib.Path(sys.argv[1])
text = page.read_text()
examples = list(re.finditer(r"^```swift\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
assert examples, page
imports, functions = {"import PabblyConnect"}, []
for number, example in enumerate(examples):
    lines = example[1].splitlines()
    imports |= {line for line in lines if line.startswith("import ")}
    # Errors name the page and its line.
    first = text.count("\n", 0, example.start(1)) + 1
    body = "\n".join("" if line.startswith("import ") else line for line in lines)
    functions.append(
        f"func example{number}() async throws {{\n"
        f'#sourceLocation(file: "docs/{page.name}", line: {first})\n{body}\n#sourceLocation()\n}}'
    )
calls = "\n".join(f"    try await example{number}()" for number in range(len(examples)))
run = f'func runExamples() async throws {{\n{calls}\n    print("docs/{page.name}: {len(examples)} examples")\n}}'
pathlib.Path(sys.argv[2]).write_text("\n\n".join(["\n".join(sorted(imports)), *functions, run]) + "\n")
