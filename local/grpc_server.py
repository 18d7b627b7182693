"""A gRPC server over plaintext on loopback, in this process, that can be stopped completely."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from local.stopping import signals_deferred


class Refused(Exception):
    """The call is answered with this status code and sentence."""

    def __init__(self, code: grpc.StatusCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class GrpcServer:
    """Serves {service: its methods} on the loopback interface; port 0 asks the system for a free one."""

    def __init__(
        self, name: str, port: int, services: Mapping[str, Mapping[str, Any]], *, threads: int, **options: int
    ) -> None:
        self._name = name
        self._port = port
        self._host = ""
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._server = grpc.server(
            self._executor,
            handlers=[grpc.method_handlers_generic_handler(*service) for service in services.items()],
            options=[(f"grpc.{option}", value) for option, value in {"so_reuseport": 0, **options}.items()],
        )

    @property
    def host(self) -> str:
        """127.0.0.1:PORT. RuntimeError before `start`."""
        if not self._host:
            raise RuntimeError(f"the {self._name} stand-in has not been started")
        return self._host

    def start(self) -> str:
        """Listen, and return the host. OSError: the port is taken."""
        try:
            port = self._server.add_insecure_port(f"127.0.0.1:{self._port}")
        except RuntimeError as error:
            raise OSError(f"the {self._name} stand-in cannot listen on 127.0.0.1:{self._port}") from error
        with signals_deferred():  # a server that is interrupted while it starts could not be stopped
            self._server.start()
        self._host = f"127.0.0.1:{port}"
        return self._host

    def stop(self) -> None:
        """End all calls; returns once no thread is left."""
        self._server.stop(grace=None).wait()
        self._executor.shutdown(wait=True)


def unary(
    act: Callable[..., Any], request: Any, serialize: Callable[[Any], bytes], *, timed: bool = False
) -> "grpc.RpcMethodHandler[Any, Any]":
    """Serve act(request), which may raise Refused; timed: act(request, seconds until the caller gives up)."""

    def answer(message: Any, context: grpc.ServicerContext) -> Any:
        try:
            return act(message, context.time_remaining()) if timed else act(message)
        except Refused as refused:
            context.abort(refused.code, refused.detail)

    return grpc.unary_unary_rpc_method_handler(
        answer, request_deserializer=request.deserialize, response_serializer=serialize
    )
