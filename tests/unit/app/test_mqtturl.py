"""The broker's URL: every part is read, and its login is never shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.app.mqtturl import MqttUrl, parse_mqtt_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("mqtt://localhost", MqttUrl("localhost", 1883)),
        ("mqtts://broker.example/", MqttUrl("broker.example", 8883, tls=True)),
        ("mqtt://10.0.0.2:1884", MqttUrl("10.0.0.2", 1884)),
        ("mqtt://[fe80::1]:1884", MqttUrl("fe80::1", 1884)),
        ("MQTT://me@host", MqttUrl("host", 1883, username="me")),
        ("mqtt://me:a%40b@host", MqttUrl("host", 1883, username="me", password="a@b")),
        ("mqtt://me:a@b/c?d#e@host:1", MqttUrl("host", 1, username="me", password="a@b/c?d#e")),
    ],
)
def test_every_part_of_a_url_is_read(text: str, url: MqttUrl) -> None:
    assert parse_mqtt_url(text) == url


@pytest.mark.parametrize(
    "text",
    ["", "localhost:1883", "http://host", "mqtt://", "mqtt://:1883", "mqtt://host:0",
     "mqtt://host:70000", "mqtt://host:1x", "mqtt://host/topic", "mqtt://ho st", "mqtt://[::1"],
)  # fmt: skip
def test_what_is_no_brokers_url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="mqtt://localhost:1883"):
        parse_mqtt_url(text)


def test_neither_text_nor_repr_shows_the_login() -> None:
    url = parse_mqtt_url("mqtts://token:hunter2@host")
    assert str(url) == "mqtts://***@host:8883"
    assert "hunter2" not in repr(url)
    assert "token" not in repr(url)


@given(st.text(alphabet="@:/?#[]%4a1 \n") | st.text())
def test_no_text_makes_it_raise_anything_but_a_value_error_without_the_text(text: str) -> None:
    try:
        url = parse_mqtt_url("mqtt://user:hunter2" + text)
    except ValueError as error:
        assert "hunter2" not in str(error)
    else:
        assert "hunter2" not in str(url)
