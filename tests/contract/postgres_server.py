"""A PostgreSQL cluster of its own for tests: made, started, stopped and started again."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SUPERUSER, READER, PASSWORD = "keeper", "reader", "s3cret@pass"
# Nothing has to survive a crash of this machine.
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=16MB"


def programs() -> Path:
    """Where Debian keeps the newest version's, or the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
    if versions:
        return versions[-1]
    found = shutil.which("initdb")
    assert found is not None, "PostgreSQL is not installed"
    return Path(found).parent


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """`folder` holds the data and the socket. The keeper's word is trusted on the socket only."""

    folder: Path
    port: int

    def url(self, user: str = READER, password: str = PASSWORD, database: str = "shop") -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def run(self, program: str, *arguments: str, text: str | None = None) -> str:
        ended = subprocess.run(
            [programs() / program, *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            user="postgres" if os.geteuid() == 0 else None,  # it refuses to run as root
            group="postgres" if os.geteuid() == 0 else None,
            extra_groups=[] if os.geteuid() == 0 else None,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        )
        assert ended.returncode == 0, f"{program}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def sql(self, text: str, database: str = "shop") -> str:
        where = ("-h", str(self.folder), "-p", str(self.port), "-U", SUPERUSER, "-d", database)
        return self.run("psql", *where, "-qAtX", "-v", "ON_ERROR_STOP=1", text=text)

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 {FAST}"
        log = str(self.folder / "log")
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-o", options, "-l", log, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "immediate", "stop")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    # Not pytest's own folder: the user that the server runs as may not enter that one.
    with tempfile.TemporaryDirectory(prefix="parlour-postgres-") as name, socket.socket() as free:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        server = PostgresServer(folder, port)
        made = ("--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "-E", "UTF8")
        server.run("initdb", "-D", str(folder / "data"), "-U", SUPERUSER, *made)
        server.start()
        try:
            server.sql(
                f"CREATE DATABASE shop; CREATE ROLE {READER} LOGIN PASSWORD '{PASSWORD}'",
                "postgres",
            )
            yield server
        finally:
            server.stop()
