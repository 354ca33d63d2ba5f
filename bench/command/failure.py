"""What ends the command with one line on stderr."""

import argparse


class Failure(Exception):
    """Something did not work: exit status 1."""
    status = 1


class Usage(Failure, argparse.ArgumentTypeError):
    """What was asked for makes no sense: exit status 2. Of an option's value, argparse names the option."""
    status = 2


class Stopped(Failure):
    """By a signal: exit status 128 and its number, as a shell has it."""

    def __init__(self, number):
        super().__init__("stopped")
        self.status = 128 + number
