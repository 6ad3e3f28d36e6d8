"""The socket on which the server listens."""

import socket

import pytest

from parlour.gateways.web import listen


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_listener_says_that_it_is_tcp_so_that_small_answers_are_not_held_back(
    host: str,
) -> None:
    try:
        with listen(host, 0) as listener:
            assert listener.proto == socket.IPPROTO_TCP
    except OSError:
        pytest.skip(f"this machine has no {host}")
