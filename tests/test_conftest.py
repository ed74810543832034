"""The conditions that every test runs under hold."""

import os
import socket

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.invalid", 443), ("10.0.0.1", 53)])
@pytest.mark.parametrize("how", ["connect", "connect_ex"])
def test_a_socket_off_loopback_is_refused(address, how):
    with socket.socket() as door, pytest.raises(RuntimeError, match="tests stay on this machine"):
        getattr(door, how)(address)


def test_a_socket_on_loopback_is_not():
    server = socket.create_server(("127.0.0.1", 0))
    with server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def test_the_data_folder_is_the_tests_own_and_telemetry_is_off(tmp_path):
    assert os.environ["AGENTOPS_HOME"].startswith(str(tmp_path))
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == os.environ["DO_NOT_TRACK"] == "true"
    assert "MLFLOW_TRACKING_URI" not in os.environ
    proxies = {"http_proxy", "https_proxy", "all_proxy"}
    assert proxies.isdisjoint(name.lower() for name in os.environ)


def test_text_that_differs_from_its_golden_file_is_shown_as_a_difference(golden, request):
    if request.config.getoption("--rewrite-golden"):
        pytest.skip("would write the file it expects to be absent")
    with pytest.raises(pytest.fail.Exception, match=r"(?s)\+a new line.*make golden"):
        golden("absent.txt", "a new line\n")
