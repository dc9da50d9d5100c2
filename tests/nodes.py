"""Servers of our own: RabbitMQ, PostgreSQL, Redis. Each listens on a port that was free, keeps its files in a folder of
its own, and may be killed. The fixtures begin one of a kind for a whole session, and only if somebody asks for it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from absent import missing

LIMIT_S = 180.0
#: Below those that Linux lends to whoever calls out: nobody takes such a port before our server has begun to listen.
PORTS = range(20_000, 32_000)


def until(true: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> None:
    """Wait for it."""
    end = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"it did not come to pass: {what}")
        time.sleep(0.05)


def free_port() -> int:
    """Any that nobody has; by chance, because others run tests at the same time."""
    while True:
        port = secrets.choice(PORTS)
        with suppress(OSError), socket.socket() as found:
            found.bind(("127.0.0.1", port))
            return port


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def killed(process: subprocess.Popen[bytes] | None) -> None:
    """The whole group, as a power cut would."""
    if process is not None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Rabbit:
    """A RabbitMQ node of our own."""

    PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # the wrapper on the path changes user and folder

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder, self.port, self._process = folder, free_port(), None
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
        (folder / "plugins").write_text("[].")
        places = {"MNESIA_BASE": "mnesia", "LOG_BASE": "log", "PID_FILE": "pid", "ENABLED_PLUGINS_FILE": "plugins"}
        self.environment = os.environ | {
            "HOME": str(folder),  # its cookie lies there
            "RABBITMQ_NODENAME": f"chasqui{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONFIG_FILE": str(folder / "none"),
            **{f"RABBITMQ_{name}": str(folder / place) for name, place in places.items()},
        }

    def begin(self) -> None:
        """It takes ten seconds to listen."""
        quiet = subprocess.DEVNULL
        self._process: subprocess.Popen[bytes] | None = subprocess.Popen(
            [self.PROGRAM], env=self.environment, start_new_session=True, stdout=quiet, stderr=quiet
        )

    def queues(self) -> list[str]:
        """Their names."""
        ask = [self.PROGRAM.with_name("rabbitmqctl"), "--quiet", "list_queues", "name", "--no-table-headers"]
        return sorted(subprocess.check_output(ask, env=self.environment, text=True).split())

    def start(self) -> None:
        self.begin()
        until(lambda: listens(self.port), "RabbitMQ listens")

    def kill(self) -> None:
        """Its group is not enough: Erlang starts some helpers apart, which end by themselves."""
        with suppress(OSError, ValueError):
            os.kill(int((self.folder / "pid").read_text()), signal.SIGKILL)
        killed(self._process)


class Postgres:
    """A PostgreSQL cluster of our own; it refuses to run as root, so it runs as `postgres` then."""

    def __init__(self, folder: Path, *, sync: bool = True) -> None:
        """`sync`: wait for the disk, which only matters to those who pull the plug or look at the time."""
        folder.mkdir(parents=True)
        self.folder, self.port, self._sync = folder, free_port(), "on" if sync else "off"
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._process: subprocess.Popen[bytes] | None = None
        self._as: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
            self._as = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        made = [*self._as, str(self.program("initdb")), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust"]
        made += ["-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd="/")

    @staticmethod
    def program(name: str) -> Path | None:
        """The newest of Debian's, which are not on the path; else the one that is."""
        debian = max(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), default=None)
        return debian or (Path(found) if (found := shutil.which(name)) else None)

    def start(self) -> None:
        command = [str(self.program("postgres")), "-D", str(self.folder / "data"), "-p", str(self.port)]
        self._process = subprocess.Popen(
            [*self._as, *command, "-c", "listen_addresses=127.0.0.1", "-c", f"fsync={self._sync}", "-k", ""],
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        until(self._answers, "PostgreSQL answers")

    def _answers(self) -> bool:
        import psycopg

        with suppress(psycopg.OperationalError):
            psycopg.connect(self.url, connect_timeout=2).close()
            return True
        return False

    def kill(self) -> None:
        """The postmaster; its children notice and end. Until they have, another one does not start."""
        process = self._process
        if process is not None:
            process.kill()
            process.wait()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.5)
            (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)


class Redis:
    """A Redis of our own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("redis-server") or missing("redis-server")
        command = [str(program), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True)
        until(lambda: listens(self.port), "Redis listens", 20)

    def kill(self) -> None:
        killed(self.process)
        self.process = None


@pytest.fixture(scope="session")
def open_place() -> Iterator[Path]:
    """A folder that others may enter: PostgreSQL does not run as root."""
    with tempfile.TemporaryDirectory(prefix="chasqui-nodes-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="session")
def postgres_node(open_place: Path) -> Iterator[Postgres]:
    """A PostgreSQL, where its programs are installed."""
    if Postgres.program("initdb") is None:
        missing("PostgreSQL as a program (Debian: postgresql)")
    cluster = Postgres(open_place / "postgres", sync=False)
    cluster.start()
    yield cluster
    cluster.kill()


@pytest.fixture
def new_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty one."""
    with database(request) as url:
        yield url


@contextmanager
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """One on the server that `CHASQUI_TEST_POSTGRES` names, else on one of our own; dropped afterwards."""
    import psycopg

    server_url = os.environ.get("CHASQUI_TEST_POSTGRES") or str(request.getfixturevalue("postgres_node").url)
    name = f"chasqui_test_{secrets.token_hex(4)}"
    try:
        server = psycopg.connect(server_url, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        missing(f"PostgreSQL at CHASQUI_TEST_POSTGRES ({error})")
    with closing(server):
        server.execute(f"CREATE DATABASE {name}")
        yield server_url.rpartition("/")[0] + f"/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def redis_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_server(redis_running: Redis) -> Redis:
    """It runs, whatever the test before did to it."""
    if redis_running.process is None:
        redis_running.start()
    return redis_running
