"""The clients offer what the core's list of methods and options says, no less and no more."""

import inspect
import json
import os
import re

import pabbly_connect as p
import pytest

TABLES = json.loads(os.environ["CORE_TABLES"]) if "CORE_TABLES" in os.environ else None
pytestmark = pytest.mark.skipif(TABLES is None, reason="the test script passes the core's tables in CORE_TABLES")


def python_name(name):
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name.removesuffix("Ms").replace("OAuth", "Oauth"))


def options(settings):
    return {python_name(setting["name"]) for setting in settings}


@pytest.mark.parametrize("kind", [p.PabblyConnectPlatform, p.AsyncPabblyConnectPlatform])
def test_methods_and_their_options(kind):
    known = {"close", "customer"}
    for method in TABLES["methods"]:
        name = python_name(method["name"])
        known.add(name)
        parameters = inspect.signature(getattr(kind, name)).parameters
        positional = [p.name for p in parameters.values() if p.kind == p.POSITIONAL_OR_KEYWORD][1:]
        assert positional == [python_name(argument) for argument in method["arguments"]], name
        keywords = {p.name for p in parameters.values() if p.kind == p.KEYWORD_ONLY}
        expected = options(method["options"])
        if name == "wait_for_connection":
            expected.add("on_poll")  # a function, which the core's list leaves to the languages
        if method["sends"] and name != "wait_for_connection":
            expected |= options(TABLES["callOptions"])
        assert keywords == expected, name
    assert known == {name for name in vars(kind) if not name.startswith("_")}
    settings = set(inspect.signature(kind).parameters)
    assert settings == options(TABLES["clientOptions"])


@pytest.mark.parametrize(
    ("kind", "narrow"),
    [(p.PabblyConnectPlatform, p.Customer), (p.AsyncPabblyConnectPlatform, p.AsyncCustomer)],
)
def test_a_customer_has_the_methods_that_take_an_e_mail(kind, narrow):
    for method in TABLES["methods"]:
        name = python_name(method["name"])
        if "email" not in method["arguments"]:
            assert not hasattr(narrow, name)
            continue
        whole = dict(inspect.signature(getattr(kind, name)).parameters)
        del whole["email"]
        assert whole == dict(inspect.signature(getattr(narrow, name)).parameters)


def test_classes_of_errors():
    assert set(p.errors.__all__) == set(TABLES["classes"]) - {"CancelledError"}
    assert set(p.errors.__all__) <= set(p.__all__)


def test_everything_public_is_documented():
    for name in p.__all__:
        thing = getattr(p, name)
        assert name == "__version__" or inspect.getdoc(thing), name
        # Whatever has a default; that it is documented is seen to by the manifest.
        fields = getattr(thing, "__dataclass_fields__", ())
        for member, value in vars(thing).items() if inspect.isclass(thing) else ():
            if not member.startswith("_") and member not in fields:
                assert inspect.getdoc(value), f"{name}.{member}"
