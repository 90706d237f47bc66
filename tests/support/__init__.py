"""Private directory servers, people to fill them with, and faults to put in between: for the tests and for the demonstration."""
