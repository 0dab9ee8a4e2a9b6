"""The messages of the test service mesh.test.v1.Echo, built at run time from the tables below.

The tables repeat mesh-testkit's echo.proto, so that no protobuf compiler is needed here.
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "mesh.test.v1"
SERVICE = PACKAGE + ".Echo"

_FIELD = descriptor_pb2.FieldDescriptorProto
_REQUEST = [
    ("message", 1, _FIELD.TYPE_STRING),
    ("payload", 2, _FIELD.TYPE_BYTES),
    ("fail_with_code", 3, _FIELD.TYPE_UINT32),
    ("fail_message", 4, _FIELD.TYPE_STRING),
    ("repeat", 5, _FIELD.TYPE_UINT32),
    ("delay_ms", 6, _FIELD.TYPE_UINT64),
]
_REPLY = [
    ("message", 1, _FIELD.TYPE_STRING),
    ("payload", 2, _FIELD.TYPE_BYTES),
    ("server_id", 3, _FIELD.TYPE_STRING),
    ("path", 4, _FIELD.TYPE_STRING),
    ("authority", 5, _FIELD.TYPE_STRING),
    ("received", 7, _FIELD.TYPE_UINT64),
    ("attempt", 8, _FIELD.TYPE_UINT64),
]


def _add_fields(message, fields):
    for name, number, kind in fields:
        message.field.add(name=name, number=number, type=kind, label=_FIELD.LABEL_OPTIONAL)


def _classes():
    file = descriptor_pb2.FileDescriptorProto(
        name="mesh/test/v1/echo.proto", package=PACKAGE, syntax="proto3"
    )
    _add_fields(file.message_type.add(name="EchoRequest"), _REQUEST)
    reply = file.message_type.add(name="EchoReply")
    _add_fields(reply, _REPLY)
    entry = reply.nested_type.add(name="HeadersEntry")
    entry.options.map_entry = True
    _add_fields(entry, [("key", 1, _FIELD.TYPE_STRING), ("value", 2, _FIELD.TYPE_STRING)])
    reply.field.add(
        name="headers",
        number=6,
        type=_FIELD.TYPE_MESSAGE,
        label=_FIELD.LABEL_REPEATED,
        type_name=f".{PACKAGE}.EchoReply.HeadersEntry",
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return tuple(
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
        for name in ("EchoRequest", "EchoReply")
    )


EchoRequest, EchoReply = _classes()


def path(method):
    """The HTTP path of a method of the service."""
    return f"/{SERVICE}/{method}"
