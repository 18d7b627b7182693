"""A local Pub/Sub: the API's own messages over plaintext gRPC, in this process, in memory.

It does not imitate and refuses as UNIMPLEMENTED: lists, updates and deletes, deadlines that change, ordering,
filters, seek, StreamingPull, exactly-once delivery, push tokens, dead letters of pull subscriptions, schemas,
BigQuery and Cloud Storage subscriptions. It has no persistence, permissions, quotas or expiry.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1 import types

from local.pubsub.rules import Refused
from local.pubsub.service import PULL_WAIT, Service

# Larger than a request of 10 MB with its framing, so that Pub/Sub's limit answers and not gRPC's.
MAX_RECEIVE_BYTES = 24 * 1024 * 1024
# A waiting pull occupies a thread for up to PULL_WAIT; publishes need a free one.
THREADS = 32


class PubSubServer:
    """Listens on the loopback interface; port 0 asks the system for a free one."""

    def __init__(self, port: int = 0) -> None:
        self._service = Service()
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="pubsub")
        self._server = grpc.server(
            self._executor,
            handlers=_handlers(self._service),
            options=[("grpc.max_receive_message_length", MAX_RECEIVE_BYTES), ("grpc.so_reuseport", 0)],
        )
        self._port = port
        self._host = ""

    @property
    def host(self) -> str:
        """127.0.0.1:PORT, the value for PUBSUB_EMULATOR_HOST. RuntimeError before `start`."""
        if not self._host:
            raise RuntimeError("the Pub/Sub stand-in has not been started")
        return self._host

    def start(self) -> str:
        """Listen, and return the host. OSError: the port is taken."""
        try:
            port = self._server.add_insecure_port(f"127.0.0.1:{self._port}")
        except RuntimeError as error:
            raise OSError(f"the Pub/Sub stand-in cannot listen on 127.0.0.1:{self._port}") from error
        self._server.start()
        self._host = f"127.0.0.1:{port}"
        return self._host

    def stop(self) -> None:
        """End pulls and pushes, also those in flight or waiting; returns once no thread is left."""
        stopping = self._server.stop(grace=None)
        self._service.stop()
        stopping.wait()
        self._executor.shutdown(wait=True)


def _handlers(service: Service) -> list[grpc.GenericRpcHandler]:
    def pull(request: types.PullRequest, context: grpc.ServicerContext) -> types.PullResponse:
        # A message leased to a caller that has given up would be missing until its deadline.
        remaining = context.time_remaining()
        return service.pull(request, wait=PULL_WAIT if remaining is None else min(PULL_WAIT, remaining / 2))

    publisher = {
        "CreateTopic": _unary(service.create_topic, types.Topic, types.Topic),
        "GetTopic": _unary(service.get_topic, types.GetTopicRequest, types.Topic),
        "Publish": _unary(service.publish, types.PublishRequest, types.PublishResponse),
    }
    subscriber = {
        "CreateSubscription": _unary(service.create_subscription, types.Subscription, types.Subscription),
        "Pull": _contextual(pull, types.PullRequest, types.PullResponse),
        "Acknowledge": _unary(service.acknowledge, types.AcknowledgeRequest),
    }
    return [
        grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", publisher),
        grpc.method_handlers_generic_handler("google.pubsub.v1.Subscriber", subscriber),
    ]


def _unary(
    method: Callable[[Any], Any], request: Any, response: Any = None
) -> "grpc.RpcMethodHandler[Any, Any]":
    """Serve a method of the service; without a response type it answers Empty."""

    def call(message: Any, _context: grpc.ServicerContext) -> Any:
        answer = method(message)
        return Empty() if response is None else answer

    return _contextual(call, request, response)


def _contextual(
    method: Callable[[Any, grpc.ServicerContext], Any], request: Any, response: Any
) -> "grpc.RpcMethodHandler[Any, Any]":
    def answer(message: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(message, context)
        except Refused as refused:
            context.abort(refused.code, refused.detail)

    serialize = Empty.SerializeToString if response is None else response.serialize
    return grpc.unary_unary_rpc_method_handler(
        answer, request_deserializer=request.deserialize, response_serializer=serialize
    )
