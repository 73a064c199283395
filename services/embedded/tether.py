"""Become a command whose life is tied to its parent's: `python -I -S tether.py PARENT_PID SIGNAL IDENTITY COMMAND…`.

The parent starts this file instead of the command. It takes the identity, asks the kernel for the signal on the
parent's death, and replaces itself, so that nothing stands between parent and command. Identity comes first: the kernel
forgets the death signal when credentials change (prctl(2), PR_SET_PDEATHSIG). Standard library only: it runs isolated.
"""

import ctypes
import os
import sys
from pathlib import Path

NOBODY = 65534
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1


def keep_identity() -> None:
    """Stay who we are."""


def enter_user_namespace() -> None:
    """Look like nobody from inside while files still see our user; needs no ownership changes (user_namespaces(7))."""
    user, group = os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWUSER) != 0:
        sys.exit(f"user namespaces are not available: {os.strerror(ctypes.get_errno())}")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {user} 1", encoding="ascii")
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {group} 1", encoding="ascii")


def become_nobody() -> None:
    """Give root up for good."""
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


_IDENTITIES = {"self": keep_identity, "namespace": enter_user_namespace, "nobody": become_nobody}


def tie_to_parent(parent_pid: int, death_signal: int) -> None:
    """Ask for the signal when the parent's thread that started us ends; leave if the parent has gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent_pid:
        sys.exit("the starting process has gone")


def main(parent_pid: str, death_signal: str, identity: str, *command: str) -> None:
    """Run as described above; does not return."""
    _IDENTITIES[identity]()
    tie_to_parent(int(parent_pid), int(death_signal))
    os.execv(command[0], command)  # noqa: S606 - the command comes from our own launcher


if __name__ == "__main__":
    main(*sys.argv[1:])
