"""The connect flow end to end: the app beside this file, the real service, a customer on the hosted page.

    python service.py CONNECT-SERVICE python flow.py APP...

`PC_TENANT_KEY` and `PC_BASE_URL` name the service; only this script, which is the backend and the customer, knows the
key. `APP...` is the command that starts the app.
"""

import contextlib
import http.cookiejar
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

BACK_IN_THE_APP = "com.example.app://connected"
BASE_URL = os.environ.pop("PC_BASE_URL")
KEY = os.environ.pop("PC_TENANT_KEY")


def backend(method, path, body=None, email="alice@example.com"):
    """Call the platform with the tenant's key."""
    request = urllib.request.Request(BASE_URL + path, json.dumps(body).encode() if body else None, method=method)
    request.headers = {"Authorization": f"Bearer {KEY}", "X-user-email": email}
    if body:
        request.headers["Content-type"] = "application/json"
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]


def make_link(**options):
    return backend("POST", "/connections/request-link", {"app_id": "gmail", "name": "Work Gmail", **options})


class Customer:
    """A customer whose browser runs no script, and gives an app's own scheme to the app."""

    def __init__(self, page):
        self.page = page
        self.returned_to = None
        customer = self

        class Redirects(urllib.request.HTTPRedirectHandler):
            def http_error_303(self, request, answer, code, message, headers):
                if headers["location"].startswith(BACK_IN_THE_APP):
                    customer.returned_to = headers["location"]
                    return answer
                return super().http_error_302(request, answer, code, message, headers)

            http_error_302 = http_error_303

        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.browser = urllib.request.build_opener(cookies, Redirects())

    def press(self, button):
        """Press one of the page's two buttons; the provider consents at once."""
        with self.browser.open(self.page, timeout=30) as page:
            form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.read().decode()))
        form["action"] = button
        self.browser.open(self.page, urllib.parse.urlencode(form).encode(), timeout=30).close()


class App:
    """The app, running."""

    def __init__(self, mode, link):
        # As it is handed out: three values and the expiry, not what else the backend knows.
        names = ["request_link", "request_token", "connection_id", "expires_at"]
        self.process = subprocess.Popen([*sys.argv[1:], mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.tell(json.dumps({name: link[name] for name in names}))

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def says(self):
        return self.process.stdout.readline().strip()

    def page(self):
        word, page = self.says().split()
        assert word == "page", word
        return page

    def ends(self, *expected):
        """Check what else it says, to its end."""
        said = self.rest()
        assert said == list(expected), said

    def ends_after_return(self, line, outcome):
        """The customer comes back, and the platform's word comes: whichever the app hears first, it ends alike."""
        with contextlib.suppress(BrokenPipeError):
            self.tell(line)
        said = self.rest()
        assert said in ([outcome], ["dismissed", outcome]), said

    def rest(self):
        said, _ = self.process.communicate(timeout=120)
        assert self.process.returncode == 0, self.process.returncode
        return said.splitlines()


def connects_and_comes_back():
    link = make_link(return_url=BACK_IN_THE_APP)
    app = App("run", link)
    customer = Customer(app.page())
    customer.press("connect")
    assert customer.returned_to.startswith(BACK_IN_THE_APP + "?"), customer.returned_to
    assert link["request_token"] not in customer.returned_to
    connection = link["connection_id"]
    app.ends_after_return("back", f"success {connection} creation")
    assert backend("POST", f"/connections/{connection}/token")["access_token"]

    again = make_link(connection_id=connection)
    app = App("run", again)
    Customer(app.page()).press("connect")
    # Nobody comes back by themselves: the platform's word closes the page.
    app.ends("dismissed", f"success {connection} reauth")


def declines():
    app = App("run", make_link())
    Customer(app.page()).press("decline")
    app.ends("dismissed", "exit rejected")


def closes_the_page():
    app = App("run", make_link())
    app.page()
    app.tell("back")
    app.ends("exit closed")


def comes_back_as_if_all_were_well():
    link = make_link(return_url=BACK_IN_THE_APP)
    app = App("run", link)
    Customer(app.page()).press("decline")
    app.ends_after_return(f"{BACK_IN_THE_APP}?connection_id={link['connection_id']}&status=active", "exit rejected")


def connects_while_the_app_is_dead():
    link = make_link(return_url=BACK_IN_THE_APP)
    app = App("run", link)
    page = app.page()
    app.process.kill()
    app.process.communicate()
    Customer(page).press("connect")
    App("resume", link).ends(f"success {link['connection_id']} creation")


def consents_and_is_confirmed():
    link = make_link(return_url=BACK_IN_THE_APP, confirm=True)
    connection = link["connection_id"]
    app = App("run", link)
    customer = Customer(app.page())
    customer.press("connect")
    app.tell(customer.returned_to)
    word, code = app.says().split()
    assert word == "code", word
    assert backend("GET", f"/connections/{connection}")["status"] == "pending"
    backend("POST", f"/connections/{connection}/confirm", {"code": code})
    app.tell("confirmed")
    app.ends(f"success {connection} creation")


def sends_the_page_to_somebody_else():
    link = make_link(return_url=BACK_IN_THE_APP, confirm=True)
    connection = link["connection_id"]
    app = App("run", link)
    other = Customer(app.page())
    other.press("connect")
    app.tell("back")
    app.ends("exit closed")
    # The code is on the device of the one who consented, whose session names another customer.
    [code] = urllib.parse.parse_qs(urllib.parse.urlsplit(other.returned_to).query)["confirmation_code"]
    try:
        backend("POST", f"/connections/{connection}/confirm", {"code": code}, email="bob@example.com")
    except urllib.error.HTTPError as error:
        assert error.code == 404, error.code
    else:
        raise AssertionError("another customer confirmed it")
    assert backend("GET", f"/connections/{connection}")["status"] == "expired"


def fills_in_a_form_of_the_app():
    link = make_link(app_id="sendgrid", name="Mail")
    app = App("form", link)
    assert app.says() == "option api_key api_key api_key!*,region", "the options"
    app.tell(json.dumps({"api_key": "SG.test"}))
    app.ends("active")
    fields = backend("POST", f"/connections/{link['connection_id']}/token")["fields"]
    assert fields["api_key"] == "SG.test", fields


def has_a_link_that_nobody_knows():
    link = make_link()
    app = App("resume", {**link, "request_token": link["request_token"] + "x"})
    app.ends("error the service does not know this link (any more)")


def main():
    flows = [
        connects_and_comes_back,
        declines,
        closes_the_page,
        comes_back_as_if_all_were_well,
        connects_while_the_app_is_dead,
        consents_and_is_confirmed,
        sends_the_page_to_somebody_else,
        fills_in_a_form_of_the_app,
        has_a_link_that_nobody_knows,
    ]
    for flow in flows:
        flow()
        print(f"a customer {flow.__name__.replace('_', ' ')}")


if __name__ == "__main__":
    main()
