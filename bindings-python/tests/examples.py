"""Runs all examples of a page as one program, with somebody who plays the customer.

    python examples.py PAGE

`PC_TENANT_KEY` and `PC_BASE_URL` name the service. Needs nothing but the package.
"""

import _thread
import http.cookiejar
import re
import sys
import threading
import time
import types
import urllib.parse
import urllib.request

from pabbly_connect import RequestLink


class OnThisMachine(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but not to the product's own page at the end."""

    def redirect_request(self, request, body, code, message, headers, url):
        if url.startswith("http://127.0.0.1:"):
            return super().redirect_request(request, body, code, message, headers, url)
        return urllib.request.Request(link_page(request.full_url))


def link_page(url):
    """Give a page that exists in the place of one that does not."""
    return "/".join(url.split("/")[:3]) + "/livez"


def connect(link):
    """Do what a customer does on the hosted page; the provider consents at once."""
    cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    browser = urllib.request.build_opener(cookies, OnThisMachine())
    with browser.open(link.request_link, timeout=30) as page:
        form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.read().decode()))
    form["action"] = "connect"
    browser.open(link.request_link, urllib.parse.urlencode(form).encode(), timeout=30).close()


def play_the_customer(program, stop):
    """Connect every link that turns up in the program."""
    seen = None
    while not stop.is_set():
        link = program.get("link")
        if isinstance(link, RequestLink) and link != seen:
            seen = link
            try:
                connect(link)
            except BaseException:
                _thread.interrupt_main()  # the program would wait in vain
                raise
        time.sleep(0.05)


def main():
    page = sys.argv[1]
    with open(page, encoding="utf-8") as file:
        text = file.read()
    # A module of its own, so that processes find its functions.
    sys.modules["__main__"] = module = types.ModuleType("__main__")
    program = vars(module)
    stop = threading.Event()
    customer = threading.Thread(target=play_the_customer, args=(program, stop), daemon=True)
    customer.start()
    examples = list(re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    # Tests are for pytest, see test_testing.py, and what needs more than the package for test_proxy.py.
    apart = ("\ndef test_", "import httpx\n")
    examples = [example for example in examples if not any(text in example[1] for text in apart)]
    assert examples, page
    for example in examples:
        # Errors name the page and its line.
        lines_before = text.count("\n", 0, example.start(1))
        exec(compile("\n" * lines_before + example[1], page, "exec"), program)
    stop.set()
    customer.join(10)
    print(f"{page}: {len(examples)} examples")


if __name__ == "__main__":
    main()
