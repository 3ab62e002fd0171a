"""Runs all examples of a page as one program, with somebody who plays the customer.

    python examples.py docs/python.md

`PC_TENANT_KEY` and `PC_BASE_URL` name the service. Needs nothing but the package.
"""

import http.cookiejar
import json
import os
import re
import sys
import threading
import time
import urllib.request

from pabbly_connect import RequestLink


def connect(link):
    """Do what a customer does, by the way of those who build their own connection page."""
    api = f"{os.environ['PC_BASE_URL']}/connections/{link.connection_id}"
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def call(path, body=None):
        headers = {"x-request-token": link.request_token, "content-type": "application/json"}
        request = urllib.request.Request(api + path, None if body is None else json.dumps(body).encode(), headers)
        with browser.open(request, timeout=30) as answer:
            return json.load(answer)["data"]

    option = call("/auth-options")["auth_options"][0]
    fields = {name: "canary" for name in option["input_schema"].get("required", [])}
    submitted = call("/submit", {"auth_option_key": option["key"], "fields": fields})
    if submitted.get("authorize_url"):
        browser.open(submitted["authorize_url"], timeout=30).read()


def play_the_customer(program, stop):
    """Connect every link that turns up in the program."""
    seen = None
    while not stop.is_set():
        link = program.get("link")
        if isinstance(link, RequestLink) and link != seen:
            seen = link
            connect(link)
        time.sleep(0.05)


def main():
    page = sys.argv[1]
    with open(page, encoding="utf-8") as file:
        text = file.read()
    program = {"__name__": "__main__"}
    stop = threading.Event()
    customer = threading.Thread(target=play_the_customer, args=(program, stop), daemon=True)
    customer.start()
    examples = list(re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
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
