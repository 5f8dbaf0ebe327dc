#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""chat_browser: two pages of examples/chat.c in a headless Chromium, driven by its debugging pipe.

    chat_browser.py CHROMIUM HOST:PORT DIRECTORY     prints what the first page shows
"""
import json
import os
import subprocess
import sys

CHROMIUM, AT, PROFILE = sys.argv[1:4]
SECONDS = 50


class Browser:
    def __init__(self):
        # It reads commands from descriptor 3 and writes to 4, each ended by a zero.
        commands, self.to = os.pipe()
        self.back, answers = os.pipe()

        def take_pipes():
            # Out of the way first: one of them may be 3 or 4 already.
            a, b = os.dup2(commands, 10), os.dup2(answers, 11)
            os.dup2(a, 3)
            os.dup2(b, 4)
        # pylint: disable=subprocess-popen-preexec-fn
        self.process = subprocess.Popen(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--no-proxy-server", f"--user-data-dir={PROFILE}",
             "--remote-debugging-pipe", "about:blank"],
            preexec_fn=take_pipes, close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(answers)
        self.number = 0
        self.rest = b""

    def message(self):
        while b"\0" not in self.rest:
            piece = os.read(self.back, 65536)
            if not piece:
                sys.exit("the browser has ended")
            self.rest += piece
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, session=None, **params):
        self.number += 1
        what = {"id": self.number, "method": method, "params": params}
        if session:
            what["sessionId"] = session
        os.write(self.to, json.dumps(what).encode() + b"\0")
        answer = self.message()
        while answer.get("id") != self.number:
            answer = self.message()
        return answer


class Page:
    def __init__(self, browser, url):
        self.browser = browser
        target = browser.call("Target.createTarget", url=url)["result"]["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target,
                                    flatten=True)["result"]["sessionId"]

    def run(self, script):
        while True:
            answer = self.browser.call("Runtime.evaluate", self.session, expression=script,
                                       awaitPromise=True, returnByValue=True)
            # The empty page was there when it was asked, and went away for the right one.
            if "context was destroyed" not in answer.get("error", {}).get("message", ""):
                break
        r = answer.get("result", {})
        if "result" not in r or "exceptionDetails" in r:
            sys.exit(f"{script}: {answer}")
        return r["result"].get("value")

    def wait_for(self, line):
        """Until a line of that text is in the list."""
        self.run("""new Promise((resolve, reject) => {
            const there = () => [...document.querySelectorAll("#log li")]
                .some(e => e.textContent == %s);
            const end = Date.now() + %d;
            (function look() {
                if (there()) resolve();
                else if (Date.now() > end) reject("not shown: " + document.body?.innerText);
                else setTimeout(look, 20);
            })();
        })""" % (json.dumps(line), SECONDS * 1000))

    def say(self, text):
        """As a person would: into the field, and the button."""
        self.run(f"document.querySelector('#text').value = {json.dumps(text)};"
                 "document.querySelector('button').click()")


def talk(browser):
    ann = Page(browser, f"http://{AT}/?name=ann")
    ann.wait_for("ann has come")
    bob = Page(browser, f"http://{AT}/?name=bob")
    ann.wait_for("bob has come")
    ann.say("hello <b>bob</b>")
    bob.wait_for("ann: hello <b>bob</b>")
    bob.say("h\u00e9, \u4f60\u597d")
    ann.wait_for("bob: h\u00e9, \u4f60\u597d")
    bob.run("ws.close()")
    ann.wait_for("bob has gone")
    print(ann.run("[...document.querySelectorAll('#log li')].map(e => e.textContent).join('\\n')"))


the_browser = Browser()
try:
    talk(the_browser)
    the_browser.call("Browser.close")
finally:
    os.close(the_browser.to)  # it ends with its pipe, too
    the_browser.process.wait(SECONDS)
