"""A model of homes in which several devices hear one wake word, and the rules that choose one."""
