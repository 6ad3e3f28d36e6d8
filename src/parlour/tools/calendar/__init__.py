"""Calendars of the household: read from CalDAV servers and ICS feeds, written over CalDAV.

No model, no graph and no home here; what people wrote into calendars is data, never advice.
"""
