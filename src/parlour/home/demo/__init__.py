"""The demo home: simulated devices that speak real MQTT in four dialects; nothing of Parlour's own
side may stand here, for it is the proof of it."""

from parlour.home.demo.home import DemoHome, demo_entities
from parlour.home.demo.house import FLOORS, make_stations
from parlour.home.demo.run import run_demo

__all__ = ["FLOORS", "DemoHome", "demo_entities", "make_stations", "run_demo"]
