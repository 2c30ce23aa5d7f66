# SPDX-License-Identifier: GPL-2.0-only
# A session with a control socket by QEMU's own QMP client (Debian: python3-qemu-qmp): client.py SOCKET.
# Prints a result a line, as every suite does.
import asyncio
import sys

from qemu.qmp import EventListener, ExecuteError, QMPClient

ASIDE = 20  # seconds, after which something that never comes is given up


def result(name, ok, why=""):
    print(f"PASS qmp: {name}" if ok else f"FAIL qmp: {name}: {why}", flush=True)


async def refused(qmp, command, arguments=None):
    try:
        await qmp.execute(command, arguments)
    except ExecuteError as error:
        return error.error_class
    return "nothing"


async def queries(qmp):
    name = await qmp.execute("query-name")
    status = await qmp.execute("query-status")
    version = await qmp.execute("query-version")
    cpus = await qmp.execute("query-cpus-fast")
    commands = {c["name"] for c in await qmp.execute("query-commands")}
    result("queries have QEMU's answers",
           name == {"name": "stock"} and status["running"] and status["status"] == "running"
           and set(version) == {"qemu", "package"} and [c["cpu-index"] for c in cpus] == [0, 1],
           f"{name} {status} {version} {cpus}")
    result("every command is listed", commands >= {
        "qmp_capabilities", "query-name", "query-status", "query-version", "query-commands",
        "query-cpus-fast", "stop", "cont", "system_powerdown", "system_reset", "quit",
        "x-nestor-stat", "x-nestor-debug"}, commands)


async def errors(qmp):
    got = [await refused(qmp, "query-tea"), await refused(qmp, "stop", {"now": True}),
           await refused(qmp, "system_powerdown")]
    result("errors have QEMU's classes",
           got == ["CommandNotFound", "GenericError", "DeviceNotActive"], got)
    try:
        said = await qmp.execute("device_add", {"driver": "vfio-pci", "host": "0000:01:00.0", "id": "card"})
    except ExecuteError as error:
        said = f"{error.error_class}: {error}"
    result("hot-adding a device is refused by name",
           str(said) == "CommandNotFound: The command device_add is left out: what a guest's IOMMUs and buses have is fixed at its "
           "start, so no device comes later", said)


async def pause(qmp):
    with qmp.listener(("STOP", "RESUME")) as events:
        await qmp.execute("stop")
        stopped = (await events.get())["event"]
        paused = (await qmp.execute("query-status"))["status"]
        await qmp.execute("cont")
        resumed = await events.get()
    result("stop and cont are events and a status",
           (stopped, paused, resumed["event"]) == ("STOP", "paused", "RESUME")
           and resumed["timestamp"]["seconds"] > 1e9, (stopped, paused, resumed))


async def ours(qmp):
    answers = await asyncio.gather(*(qmp.execute(c) for c in ["x-nestor-stat", "x-nestor-debug"] * 20))
    result("forty commands at once are all answered",
           all(a["schema"] == 1 and a["name"] == "stock" for a in answers), len(answers))


async def reset(qmp):
    with qmp.listener("RESET") as events:
        await qmp.execute("system_reset")
        event = await events.get()
    status = await qmp.execute("query-status")
    result("a connection lives on over a reset",
           event["data"] == {"guest": False, "reason": "host-qmp-system-reset"} and status["running"], event)


async def leave(qmp):
    events = EventListener("SHUTDOWN")
    with qmp.listen(events):
        await qmp.execute("quit")
        event = await events.get()
    result("quit says why it is the end",
           event["data"]["reason"] == "host-qmp-quit" and not event["data"]["guest"], event)


async def main(path):
    qmp, other = QMPClient("nestor"), QMPClient("other")
    await qmp.connect(path)
    result("the client takes the greeting", qmp.greeting.QMP.version["package"].startswith("nestor-"))
    await other.connect(path)
    for part in (queries, errors, pause, ours, reset):
        await part(qmp)
    result("a second client is served beside the first", (await other.execute("query-status"))["running"])
    await leave(qmp)
    for client in (qmp, other):
        try:
            await client.disconnect()
        except EOFError:
            pass  # the server was first


asyncio.run(asyncio.wait_for(main(sys.argv[1]), ASIDE))
