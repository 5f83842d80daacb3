"""Logging in with the keys of this computer, and claiming a device or changing its keys."""

from mesodrive.access import Role, new_key
from mesodrive.device import Device
from mesodrive.keys import KeysError, KeyStore
from mesodrive.link.client import RefusedError
from mesodrive_wire import UNAUTHORIZED

_LONGEST_WAIT_S = 5.0


def log_in(device: Device, store: KeyStore, role: Role) -> None:
    """Prove `role` with a key of this computer. Raises KeysError or RefusedError."""
    info = device.info
    if not info.claimed:
        raise KeysError(
            f"The device {info.serial} has no keys yet; claim it with mesodrive access claim."
        )
    candidates = store.candidates(info.serial, role)
    if not candidates:
        raise KeysError(
            f"This computer has no {role} key of the device {info.serial}; copy "
            f"{store.path(info.serial)} from the computer that claimed it."
        )
    for key in candidates:
        try:
            device.login(role, key)
        except RefusedError as refusal:
            if refusal.code != UNAUTHORIZED or key == candidates[-1]:
                raise
            _sit_out(device, refusal)
        else:
            if store.pending(info.serial, role):
                store.put(info.serial, role, key)
            return


def claim(device: Device, store: KeyStore) -> None:
    """Give a new device its keys, or go on where that was cut short; then the role is operator.

    Raises KeysError when the device has an owner whose key is not here.
    """
    serial = device.info.serial
    if not device.info.claimed:
        service = _candidate(store, serial, "service")
        device.set_key("service", service)
        store.put(serial, "service", service)
        device.refresh()
    elif not store.candidates(serial, "service"):
        raise KeysError(
            f"The device {serial} has an owner already; copy {store.path(serial)} from the "
            "computer that claimed it."
        )
    log_in(device, store, "service")
    operator = _candidate(store, serial, "operator")
    device.set_key("operator", operator)
    store.put(serial, "operator", operator)
    log_in(device, store, "operator")


def change(device: Device, store: KeyStore, role: Role) -> None:
    """Replace the key of `role` by a new one; takes service's key."""
    serial = device.info.serial
    log_in(device, store, "service")
    if begun := store.pending(serial, role):
        # The device may have it from a change that was cut short: a newer one in its place in the
        # store could leave here no key that holds.
        device.set_key(role, begun)
        store.put(serial, role, begun)
        log_in(device, store, "service")  # a proof ends with the key that is set
    key = new_key()
    store.put_next(serial, role, key)
    device.set_key(role, key)
    store.put(serial, role, key)
    log_in(device, store, role)


def _candidate(store: KeyStore, serial: str, role: Role) -> bytes:
    """The key to be set: one that was on its way when it was cut short, or a new one."""
    kept = store.candidates(serial, role)
    if kept:
        return kept[-1]
    key = new_key()
    store.put_next(serial, role, key)
    return key


def _sit_out(device: Device, refusal: RefusedError) -> None:
    wait_s = refusal.data.get("wait_ms", 0) / 1000
    if wait_s > _LONGEST_WAIT_S:
        raise refusal
    device.client.pump(wait_s + 0.1)
