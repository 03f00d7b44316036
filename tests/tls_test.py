"""TLS as configured: a server that speaks HTTPS and wants to see its clients' certificates, a
gate that shows one, and an issuer of tokens behind an authority of the house."""

import json
import os
import ssl
import subprocess
import urllib.error

import tap
from authority import CLIENT, SERVER, Authority
from gate_rig import BUILD, GATE, Program, Rig


class TlsRig(Rig):
    scheme = "https"
    more_server_listen = ", tls: {certificate: config/server.pem, key: config/server.key, client_ca: config/house.pem}"
    more_gate = "tls: {ca: config/house.pem, certificate: config/gate.pem, key: config/gate.key}\n"

    def __init__(self):
        super().__init__()
        self.house = Authority(self.path("config"), "house")
        self.house.issue("server", SERVER)
        self.house.issue("gate", CLIENT)
        self.ssl_context = self.context(*self.house.issue("laptop", CLIENT))

    def context(self, cert=None, key=None):
        context = ssl.create_default_context(cafile=self.house.file)
        if cert:
            context.load_cert_chain(cert, key)
        return context

    def reached(self, context):
        """Whether a call gets as far as an answer."""
        before, self.ssl_context = self.ssl_context, context
        try:
            return "content" in self.call("echo_text", {"text": "x"})
        except (urllib.error.URLError, ssl.SSLError, ConnectionError):
            return False
        finally:
            self.ssl_context = before


rig = TlsRig()


def test_certificates():
    rig.start()
    tap.ok("the ready line says https", rig.server.ready["url"].startswith("https://127.0.0.1:"),
           rig.server.ready)
    tap.ok("who shows a certificate is answered", rig.reached(rig.ssl_context))
    tap.ok("who shows none is not", not rig.reached(rig.context()))
    stranger = Authority(rig.path("run"), "elsewhere")
    tap.ok("nor who shows a stranger's", not rig.reached(
        rig.context(*stranger.issue("mallory", CLIENT))))
    tap.ok("nor who shows one that is for servers", not rig.reached(
        rig.context(*rig.house.issue("borrowed", SERVER))))


def test_a_write_through_the_gate():
    with rig.client() as c:
        a = c.propose("fixture.put_value", key="tls", value="1", reason="over TLS")
        c.approve(a)
        c.wait(a, "succeeded")
    tap.equal("a write that a person approved ran over TLS", rig.value("tls"), "1")
    result = rig.call("put_value", {"key": "tls", "value": "2", "reason": "unasked"})
    tap.equal("a certificate is no grant", result["structuredContent"]["error"]["code"],
              "approval_required")


def wingman(*args, text=""):
    return subprocess.run([os.path.join(BUILD, "bin", "wingman"), "--dir", rig.dir, *args], input=text,
                          capture_output=True, text=True, timeout=60, check=False)


def test_the_console():
    """Doctor and bridge trust whom the gate trusts."""
    listed = json.loads(wingman("doctor", "--json").stdout)
    about = [f for f in listed if f["check"] == "server"]
    tap.equal("doctor finds nothing wrong with the server", [f["level"] for f in about], ["ok"])
    request = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}
    bridge = wingman("connect", "fixture", "--stdio", text=json.dumps(request) + "\n")
    tap.ok("the bridge reaches it", '"serverInfo"' in bridge.stdout, (bridge.stdout, bridge.stderr))


def sees_it_up():
    with rig.client() as c:
        return c.ask("tools", server="fixture")["servers"][0]["up"]


def test_a_gate_that_trusts_others():
    rig.more_gate = "tls: {certificate: config/gate.pem, key: config/gate.key}\n"
    rig.write_gate_config()
    rig.restart_gate("stop")
    with rig.client() as c:
        a = c.propose("fixture.put_value", key="tls", value="3", reason="to whom?")
        why = c.wait(a, "refused")["history"][-1]["why"]
    tap.ok("a server that the gate has no reason to trust is not asked", "cannot reach" in why, why)
    tap.ok("and is down for it", not sees_it_up())


def complains(program, config, text, words):
    before = rig.read(config)
    rig.write(config, before + text)
    try:
        Program([program, "--dir", rig.dir], rig.path("run/complaint.log")).kill()
        return tap.ok("it starts with " + text, False)
    except RuntimeError as e:
        return tap.ok(f"'{text.strip()}' is complained of", words in str(e), e)
    finally:
        rig.write(config, before)


def test_bad_files():
    rig.gate.stop()
    rig.more_gate = ""
    rig.write_gate_config()
    complains(GATE, "config/gate.yaml", "tls: {ca: config/gone.pem}\n", "gone.pem")
    complains(GATE, "config/gate.yaml", "tls: {ca: config/house.pem, certificate: config/gate.pem, "
              "key: config/server.key}\n", "cannot use the certificate")
    complains(GATE, "config/gate.yaml", "tls: {certificate: config/gate.pem}\n", "key")
    os.chmod(rig.path("config/gate.key"), 0o644)
    complains(GATE, "config/gate.yaml", "tls: {certificate: config/gate.pem, key: config/gate.key}\n",
              "gate.key")


try:
    tap.run([test_certificates, test_a_write_through_the_gate, test_the_console, test_a_gate_that_trusts_others,
             test_bad_files])
finally:
    rig.done()
tap.done()
