"""`python -m tracehouse.embedded`: everything on this machine, until Ctrl-C or SIGTERM."""

import signal
import sys
import threading
from types import FrameType

from tracehouse.embedded import up
from tracehouse.embedded.folder import Refused
from tracehouse.embedded.stores import NotReady
from tracehouse.embedded.supervise import SupervisorLost


def main() -> int:
    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ask_to_stop)
    try:
        up.run(stop)
    except (Refused, NotReady, SupervisorLost, up.StepFailed) as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
