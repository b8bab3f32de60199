"""How a module collects its tests, and the states of the guest that they wake up in."""

# Name of a snapshot -> (the one it begins from, what happens then). The first test that needs one makes it.
STATES = {}


def state(base="installed"):
    """Makes a function that prepares a dock into a snapshot of its name."""

    def add(function):
        STATES[function.__name__] = (base, function)
        return function

    return add


def suite():
    """A list, and the decorator that fills it: `TESTS, test = suite()`."""
    tests = []

    def test(snapshot="installed", name=None):
        def add(function):
            function.snapshot, function.name = snapshot, name or function.__name__
            tests.append(function)
            return function

        return add

    return tests, test
