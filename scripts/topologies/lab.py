"""Sends one real packet between network namespaces and says where it was seen.

A process of its own, because Node.js has neither setns nor packet sockets. It reads one JSON object a line and answers with one:

{"do": "listen", "namespaces": {NAME: FILE}, "protocol": "tcp" | "udp", "port": N}   sockets that answer, in each namespace
{"do": "probe", "namespaces": {NAME: FILE}, "from": FILE, "protocol": "tcp" | "udp" | "icmp", "to": ADDRESS, "port": N,
 "sourcePort": N, "length": N, "seconds": S}
    -> {"answer": "delivered" | "refused" | "none", "seen": [[namespace, device, "in" | "out", "request" | "reply", for_another_host], ...]}
{"do": "warm", "namespaces": {NAME: FILE}, "to": [ADDRESS]}                         fills neighbour tables and FDBs
{"do": "close"}                                                                     all sockets go, so that namespaces can be deleted
"""

import ctypes
import errno
import json
import os
import select
import socket
import struct
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
ETH_P_ALL, ETH_P_IP = 3, 0x0800
PACKET_OTHERHOST, PACKET_OUTGOING = 3, 4
SO_BINDTODEVICE, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE = 25, 10, 3
HOME = os.open("/proc/self/ns/net", os.O_RDONLY)
TUNNEL_PORTS = (8472, 4789, 8473)
listeners = []


def inside(file, work):
    """Runs work in a namespace; sockets that it makes stay there."""
    fd = os.open(file, os.O_RDONLY)
    try:
        if LIBC.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns " + file)
        return work()
    finally:
        LIBC.setns(HOME, CLONE_NEWNET)
        os.close(fd)


def listen(request):
    port = request["port"]

    def make():
        if request["protocol"] == "tcp":
            server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("0.0.0.0", port))
            server.listen(8)
        else:
            server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            server.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE)
            server.bind(("0.0.0.0", port))
        server.setblocking(False)
        return server

    for file in request["namespaces"].values():
        listeners.append(inside(file, make))
    return {}


def flow_of(data, probe):
    """Whether the packet, or the packet inside a tunnel's, is the request or the reply of the probe."""
    if len(data) < 20 or data[0] >> 4 != 4:
        return None
    head = (data[0] & 15) * 4
    protocol = data[9]
    body = data[head:]
    if len(body) < 8:
        return None
    first, second = struct.unpack("!HH", body[:4])
    if protocol == 17 and second in TUNNEL_PORTS and len(body) > 30:
        return flow_of(body[8 + 8 + 14:], probe)
    wanted = {"tcp": 6, "udp": 17, "icmp": 1}[probe["protocol"]]
    if protocol != wanted:
        return None
    if protocol == 1:
        if struct.unpack("!H", body[4:6])[0] != probe["sourcePort"]:
            return None
        return {8: "request", 0: "reply"}.get(body[0])
    # Only the two packets that open a connection: what follows them goes the same way.
    if protocol == 6 and body[13] & 0x07 not in (0x02,):
        return None
    if first == probe["sourcePort"]:
        return "request"
    return "reply" if second == probe["sourcePort"] else None


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def start(probe):
    """The client's socket, with its one packet on the way."""
    to, port, own = probe["to"], probe.get("port") or 0, probe["sourcePort"]
    if probe["protocol"] == "icmp":
        client = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        client.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE)
        client.setblocking(False)
        rest = b"k" * max(0, (probe["length"] - 28) // 2 * 2)
        head = struct.pack("!BBHHH", 8, 0, 0, own, 1)
        packet = struct.pack("!BBHHH", 8, 0, checksum(head + rest), own, 1) + rest
        send = lambda: client.sendto(packet, (to, 0))
    elif probe["protocol"] == "udp":
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE)
        client.bind(("0.0.0.0", own))
        client.setblocking(False)

        def send():
            client.connect((to, port))
            client.send(b"k" * max(1, probe["length"] - 28))
    else:
        client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        client.bind(("0.0.0.0", own))
        client.setblocking(False)

        def send():
            code = client.connect_ex((to, port))
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, os.strerror(code))
    try:
        send()
    except OSError:
        return client, "none"
    return client, None


def outcome(client, probe):
    try:
        if probe["protocol"] == "tcp":
            code = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0:
                client.getpeername()
                return "delivered"
            return "refused" if code == errno.ECONNREFUSED else None
        data = client.recv(65535)
        if probe["protocol"] == "udp":
            return "delivered"
        body = data[(data[0] & 15) * 4:]
        return "delivered" if body[0] == 0 and struct.unpack("!H", body[4:6])[0] == probe["sourcePort"] else None
    except OSError as error:
        return "refused" if error.errno == errno.ECONNREFUSED else None


def answer_listeners(ready):
    for server in listeners:
        if server not in ready:
            continue
        try:
            if server.type == socket.SOCK_STREAM:
                connection, _ = server.accept()
                connection.close()
            else:
                data, sender = server.recvfrom(65535)
                server.sendto(data, sender)
        except OSError:
            pass


def probe(request):
    taps = {}
    for name, file in request["namespaces"].items():
        def tap():
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            sock.setblocking(False)
            return sock, dict(socket.if_nameindex())
        sock, names = inside(file, tap)
        taps[sock] = (name, names)
    client, answer = inside(request["from"], lambda: start(request))
    seen = []
    end = time.monotonic() + request["seconds"]
    grace = None
    while True:
        now = time.monotonic()
        if now >= end or (grace is not None and now >= grace):
            break
        readers = list(taps) + listeners + ([client] if answer is None and request["protocol"] != "tcp" else [])
        writers = [client] if answer is None and request["protocol"] == "tcp" else []
        ready, writable, _ = select.select(readers, writers, [], min(0.02, end - now))
        for sock in ready:
            if sock in taps:
                record(sock, taps[sock], request, seen)
        answer_listeners(ready)
        if answer is None and (client in ready or client in writable):
            answer = outcome(client, request)
            if answer is not None:
                grace = time.monotonic() + 0.03
    for sock in taps:
        sock.close()
    client.close()
    return {"answer": answer or "none", "seen": seen}


def record(sock, tap, request, seen):
    name, names = tap
    while True:
        try:
            data, address = sock.recvfrom(65535)
        except OSError:
            return
        device, protocol, kind = address[0], address[1], address[2]
        if protocol != ETH_P_IP:
            continue
        flow = flow_of(data, request)
        if flow is not None:
            direction = "out" if kind == PACKET_OUTGOING else "in"
            seen.append([name, device, direction, flow, kind == PACKET_OTHERHOST])


def warm(request):
    """A datagram from every namespace to every address, and time for the answers (port unreachable) to come back."""
    senders = []
    for file in request["namespaces"].values():
        sender = inside(file, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        senders.append(sender)
        for address in request["to"]:
            try:
                sender.sendto(b"k8snet", (address, 9))
            except OSError:
                pass
    time.sleep(0.25)
    for sender in senders:
        sender.close()
    return {}


def close(_request):
    while listeners:
        listeners.pop().close()
    return {}


WORK = {"listen": listen, "warm": warm, "probe": probe, "close": close}
for line in sys.stdin:
    asked = json.loads(line)
    try:
        result = WORK[asked["do"]](asked)
    except Exception as error:  # the caller decides what an error means
        result = {"error": "%s: %s" % (type(error).__name__, error)}
    print(json.dumps(result), flush=True)
