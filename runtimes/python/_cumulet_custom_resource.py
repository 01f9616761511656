"""Requests of CloudFormation to the providers of custom resources.

Many providers answer in TLS, whatever the address in `ResponseURL` says; the platform is at the address, without TLS, and
inside this environment.
"""

import http.client
import os
from urllib.parse import urlsplit

RESPONSE_PATH = "/_cumulet/custom-resource/"
_places = set()


def make_answerable(event):
    """An event that has a `ResponseURL`: its answer will reach the platform. Other events are left as they are."""
    try:
        address = urlsplit(event["ResponseURL"])
        endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL", ""))
        if address.scheme != "http" or not address.path.startswith(RESPONSE_PATH):
            return
        # The platform's port may be another one on the machine that this function runs on.
        if endpoint.scheme == "http" and endpoint.hostname == address.hostname:
            address = address._replace(netloc=endpoint.netloc)
        event["ResponseURL"] = address.geturl()
        if not _places:
            http.client.HTTPSConnection.connect = _connect
        _places.update([(address.hostname, address.port), (address.hostname, 443)])
        _ports[address.hostname] = address.port
    except (AttributeError, TypeError, ValueError):
        return


_ports = {}
_original = http.client.HTTPSConnection.connect


def _connect(self):
    if (self.host, self.port) not in _places:
        return _original(self)
    self.port = _ports[self.host]
    return http.client.HTTPConnection.connect(self)
