"""From a serial port to requests, answers and notifications."""
