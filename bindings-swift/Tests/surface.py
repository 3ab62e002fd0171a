"""The Swift modules offer what the core's list of methods and options says, no less and no more, and document it.

    python surface.py TABLES.json SYMBOLS_FOLDER
"""

import json
import pathlib
import re
import sys

tables = json.loads(pathlib.Path(sys.argv[1]).read_text())


def symbols_of(module):
    return json.loads((pathlib.Path(sys.argv[2]) / f"{module}.symbols.json").read_text())["symbols"]


symbols, testing = symbols_of("PabblyConnect"), symbols_of("PabblyConnectTesting")
problems = []


def same(what, actual, expected):
    if actual != expected:
        problems.append(f"{what}: is {actual}, the core says {expected}")


def swift_name(name):
    """Give a neutral name as Swift's: initialisms in capitals, durations instead of milliseconds."""
    return re.sub(r"(?<=[a-z])(Id|Url|Http|Api)(?=[A-Z]|$)", lambda part: part[0].upper(), name.removesuffix("Ms"))


def names(settings):
    return [swift_name(setting["name"]) for setting in settings]


def functions(kind):
    """Give the functions of a type by their name, with the labels of their arguments."""
    found = {}
    for symbol in symbols:
        owner, *member = symbol["pathComponents"]
        if owner == kind and len(member) == 1 and symbol["kind"]["identifier"] in ("swift.method", "swift.init"):
            name, labels = re.fullmatch(r"(\w+)\((.*)\)", member[0]).groups()
            found[name] = labels.split(":")[:-1]
    return found


flat, narrow = functions("PabblyConnectPlatform"), functions("Customer")
known = {"init", "customer"}
for method in tables["methods"]:
    name = swift_name(method["name"])
    known.add(name)
    options = names(method["options"])
    if name == "waitForConnection":
        options.append("onPoll")  # a function, which the core's list leaves to the languages
    elif method["sends"]:
        options.append("options")
    arguments = method["arguments"]
    same(name, flat.get(name), ["_"] * len(arguments) + options)
    of_customer = ["_"] * (len(arguments) - 1) + options if "email" in arguments else None
    same(f"Customer.{name}", narrow.get(name), of_customer)
same("methods", set(flat), known)
same("CallOptions", functions("CallOptions")["init"], names(tables["callOptions"]))
same("settings", flat["init"], [*names(tables["clientOptions"]), "onEvent"])

cases = {
    symbol["pathComponents"][1].partition("(")[0]
    for symbol in symbols
    if symbol["kind"]["identifier"] == "swift.enum.case" and symbol["pathComponents"][0] == "PabblyConnectError"
}
classes = {kind.removesuffix("Error") for kind in tables["classes"]} - {"Cancelled", "PabblyConnect"}
same("PabblyConnectError", cases, {kind[0].lower() + kind[1:] for kind in classes} | {"other"})

fakes = {
    symbol["pathComponents"][1]
    for symbol in testing
    if symbol["kind"]["identifier"] == "swift.type.property" and symbol["pathComponents"][0] == "FakeMethod"
}
same("FakeMethod", fakes, {swift_name(method["name"]) for method in tables["methods"] if method["sends"]})

for symbol in symbols + testing:
    # What the compiler or another module makes has no place in a file.
    if "location" in symbol and "docComment" not in symbol:
        problems.append(f"{'.'.join(symbol['pathComponents'])} is not documented")

print(*problems, sep="\n", end="\n" if problems else "")
sys.exit(bool(problems))
