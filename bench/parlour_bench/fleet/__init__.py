"""A fleet of virtual devices that hear the same words: does exactly one of them answer, and when?"""
