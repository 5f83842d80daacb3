"""What hosts, persons and misfortune do: one rule each. Whoever plays chooses among them."""

from collections.abc import Callable
from random import Random
from typing import Any

from mesodrive.device import Device
from mesodrive_rig.campaigns.model import firmware
from mesodrive_rig.campaigns.model.host import Host
from mesodrive_rig.campaigns.model.link import WEATHERS
from mesodrive_rig.campaigns.model.world import World

_MOMENTS_US = (50, 3_000, 11_000, 40_000, 90_000, 250_000)
LOOKS_US = 12_000  # in which the device looks at least once
_SECOND_US = 1_000_000
_MODES: tuple[dict[str, Any], ...] = (
    {"mode": "single", "shots": 3},
    {"mode": "series", "shots": 6},
    {"mode": "burst", "burst": 2, "shots": 4},
    {"mode": "stamp", "shots": 2},
    {"mode": "dry", "dose_nl": 0, "shots": 9, "dwell_us": 2_000, "period_us": 20_000},
)
_DOSES: tuple[dict[str, Any], ...] = (
    {"dose_nl": 300, "period_us": 50_000},
    {"dose_nl": 1_000},
    {"dose_nl": 3, "period_us": 50_000},
    # little in the syringe: priming leaves too little for the shots
    {"dose_nl": 1_000, "fill_nl": 12_000},
    # a wide syringe: much liquid, few steps
    {
        "dose_nl": 100_000,
        "flow_nl_s": 2_000_000,
        "dwell_us": 70_000,
        "period_us": 100_000,
        "syringe_nl_per_mm": 500_000,
        "fill_nl": 10_000_000,
    },
)


class Play:
    """A world, the hosts in it, and the rules."""

    def __init__(self, world: World):
        self.world = world
        self.hosts = 0
        self.host = self._new_host()
        self._resolved: tuple[int, int, int] = (
            1,
            0,
            0,
        )  # number, strikes, dose_nl of the last dose in doubt

    # hosts

    def connect(self, _: Random) -> None:
        """The host opens the port, at its first time or again."""
        self.host.connect()

    def close(self, _: Random) -> None:
        """The host gives the port back."""
        self.host.close()

    def change_host(self, _: Random) -> None:
        """Another computer, whose clock and ids are others."""
        self.host.close()
        self.host = self._new_host()
        self.host.connect()

    def crash_host(self, random: Random) -> None:
        """The host's program ends in the middle of what it does next."""
        if self.host.port:
            port = self.host.port
            self.world.at(random.choice(_MOMENTS_US), lambda: setattr(port, "crashes", True))

    def freeze_host(self, random: Random) -> None:
        """The host's program says nothing for a while, and goes on."""
        self.world.pass_time(random.choice((300_000, 700_000)))

    def load(self, random: Random) -> None:
        profile: dict[str, Any] = {**firmware.stand_ins.PROFILE, **random.choice(_DOSES)}
        profile.update(random.choice(_MODES))
        self.host.ask("profile.load", lambda device: device.load(profile))

    def home(self, _: Random) -> None:
        self.host.ask("home", lambda device: device.home())

    def prime(self, random: Random) -> None:
        volume_ul = random.choice((0.5, 5.0, 100.0))
        self.host.ask("prime", lambda device: device.prime(volume_ul))

    def arm(self, _: Random) -> None:
        self.host.ask("arm", lambda device: device.arm())

    def disarm(self, _: Random) -> None:
        self.host.ask("disarm", lambda device: device.disarm())

    def acknowledge(self, _: Random) -> None:
        self.host.ask("ack", lambda device: device.acknowledge())

    def resolve(self, random: Random) -> None:
        """A person says what a dose in doubt gave: the truth, or that all of it was given."""
        self.host.ask("dose.resolve", lambda device: self._resolve(device, random))

    def _resolve(self, device: Device, random: Random) -> None:
        for number, strikes, dose_nl in device.status().in_doubt[:1]:
            machine, witness = self.world.machine, self.world.witness
            if not machine:
                return
            happened, nl, primed_nl = witness.account.truth(machine.journal, witness)
            most_nl = max(1, strikes) * dose_nl
            given_nl = round(nl if strikes else primed_nl)
            if random.random() < 0.3:
                happened, given_nl = strikes, most_nl
            self._resolved = (number, strikes, dose_nl)
            device.resolve(number, min(strikes, happened), max(0, min(most_nl, given_nl)))

    def resolve_again(self, _: Random) -> None:
        """A host that does not know of the first time says again what a dose gave."""
        number, strikes, dose_nl = self._resolved
        self.host.ask("dose.resolve", lambda device: device.resolve(number, strikes, dose_nl))

    def log_in(self, _: Random) -> None:
        """The operator proves again who it is."""
        self.host.log_in("operator")

    def leave(self, _: Random) -> None:
        self.host.ask("auth.leave", lambda device: device.leave())

    def unlock(self, _: Random) -> None:
        """Service has looked at the device, and unlocks it."""
        self.host.log_in("service")
        self.host.ask("unlock", lambda device: device.unlock())
        self.host.log_in("operator")

    def status(self, _: Random) -> None:
        self.host.ask("status", lambda device: device.status())

    def fetch(self, _: Random) -> None:
        """All strikes of the profile, as the device tells them."""
        self.host.ask("shots", lambda device: device.shots(1, 12))

    def wait(self, random: Random) -> None:
        self.host.wait(random.choice((0.05, 0.2, 0.6)))

    # persons

    def pull(self, random: Random) -> None:
        """A person pulls the trigger, while the host waits."""
        hold_us = random.choice((15_000, 45_000, 120_000, 400_000))
        self.world.pull(hold_us, random.choice((32_000, 32_000, 32_000, 50_000)))
        if random.random() < 0.3:
            hand, gap_us = random.choice(("contact", "trigger")), random.choice((2_000, 12_000))
            self.world.tremble(hand, 34_000 + random.randrange(hold_us), gap_us)
        self.host.wait((hold_us + 80_000) / 1e6)

    def move_a_hand(self, random: Random) -> None:
        """A person opens, presses, lifts something, now or in the middle of what comes next."""
        name = random.choice(("guard", "stop", "cartridge", "contact", "trigger"))
        state = random.randrange(2)
        self.world.at(random.choice(_MOMENTS_US), lambda: self.world.move_hand(name, state))

    def change_cartridge(self, _: Random) -> None:
        """A person puts in a new cartridge: a new session begins with the next profile."""
        self.world.move_hand("cartridge", 0)
        self.world.pass_time(1_200_000)
        self.world.move_hand("cartridge", 1)

    def put_right(self, _: Random) -> None:
        """A person puts everything as it should be."""
        for name, state in (("trigger", 0), ("contact", 0), ("guard", 1), ("stop", 1)):
            self.world.move_hand(name, state)
        self.world.move_hand("cartridge", 1)
        self.world.pass_time(30_000)

    # misfortune

    def reset_soon(self, random: Random) -> None:
        """The device is reset in the middle of what comes next."""
        unplug, off_us = random.random() < 0.5, random.choice((0, 100_000, 2_000_000))
        at_us = random.choice(_MOMENTS_US) + random.randrange(5_000)
        self.world.at(at_us, lambda: self.world.reset(unplug=unplug, off_us=off_us))

    def reset_in_a_pull(self, random: Random) -> None:
        """The device is reset while a person pulls."""
        self.world.at(30_000 + random.randrange(200_000), lambda: self.world.reset(unplug=False))
        self.world.pull(400_000)
        self.host.wait(0.3)

    def cut_at_flash(self, random: Random) -> None:
        """Power goes in the middle of one of the next flash operations."""
        self.world.cut_at_flash(random.randrange(1, 5))

    def pull_the_cable(self, random: Random) -> None:
        self.world.at(random.choice(_MOMENTS_US), self.world.unplug)

    def change_weather(self, random: Random) -> None:
        """The cable becomes better or worse."""
        self.world.set_weather(random.choice(WEATHERS))

    def clear_up(self, _: Random) -> None:
        """The cable is sound, and what was late is gone."""
        self.world.calm()

    def rest(self, random: Random) -> None:
        """Minutes pass."""
        self.world.rest(60 * _SECOND_US * random.choice((1, 8, 30)))

    # the way that leads on

    def go_on(self, random: Random) -> None:
        """Whatever the state, what leads towards the next dose."""
        self.world.pass_time(100_000)
        machine = self.world.machine
        if not self.host.device:
            self.host.connect()
        elif machine and machine.controller.state == "FAULT":
            self.put_right(random)
            if machine.repeats.sentence:
                self.unlock(random)
            self._prove(random)
            self.acknowledge(random)
        elif machine and machine.controller.state == "SAFE":
            self.put_right(random)
            self._prove(random)
            if machine.journal.in_doubt and random.random() < 0.6:
                self.resolve(random)
            self.load(random)
            self.home(random)
        elif machine and machine.controller.state == "READY":
            self.put_right(random)
            delivery = machine.controller.delivery
            profile = delivery.plan.profile
            needed_nl = (profile.shots - delivery.done) * profile.dose_nl
            if delivery.complete or needed_nl > delivery.left_nl:
                self.load(random)
                self.home(random)
            if random.random() < 0.3:
                if random.random() < 0.2:
                    self.world.at(
                        random.randrange(1_000, 400_000), lambda: self.world.reset(unplug=False)
                    )
                self.prime(random)
            self.arm(random)
        else:
            self.pull(random)

    def prepare(self, random: Random) -> None:
        """Everything as it should be before a session, whatever was before it."""
        self.world.calm()
        self.world.pass_time(3_000_000)
        self.host.close()
        self.host.connect()
        self.put_right(random)
        machine = self.world.machine
        if machine and machine.controller.state == "FAULT":
            self.go_on(random)
        if machine and machine.journal.in_doubt:
            self.resolve(random)
        self.change_cartridge(random)

    def _prove(self, random: Random) -> None:
        """Log in, unless the device still knows who the host is."""
        machine = self.world.machine
        if machine and not machine.access.role:
            self.log_in(random)

    def _new_host(self) -> Host:
        self.hosts += 1
        return Host(self.world, self.hosts, (1 << 40) + self.world.random.randrange(1 << 22))


# Each rule and how often it is chosen, when chance chooses.
RULES: dict[Callable[[Play, Random], None], int] = {
    Play.go_on: 40,
    Play.pull: 12,
    Play.wait: 8,
    Play.connect: 3,
    Play.close: 1,
    Play.change_host: 2,
    Play.crash_host: 2,
    Play.freeze_host: 1,
    Play.load: 3,
    Play.home: 2,
    Play.prime: 3,
    Play.arm: 4,
    Play.disarm: 3,
    Play.acknowledge: 1,
    Play.resolve: 3,
    Play.resolve_again: 1,
    Play.log_in: 1,
    Play.leave: 1,
    Play.status: 2,
    Play.fetch: 3,
    Play.move_a_hand: 6,
    Play.change_cartridge: 1,
    Play.put_right: 2,
    Play.reset_soon: 4,
    Play.reset_in_a_pull: 2,
    Play.cut_at_flash: 2,
    Play.pull_the_cable: 2,
    Play.change_weather: 4,
    Play.clear_up: 4,
    Play.rest: 1,
}


def step(play: Play, rule: Callable[[Play, Random], None], random: Random) -> None:
    """One step: the rule, and then what must hold."""
    rule(play, random)
    play.world.pass_time(LOOKS_US)
    if play.world.witness.outcome_is_due:
        play.world.pass_time(LOOKS_US)
    play.world.witness.settled()
