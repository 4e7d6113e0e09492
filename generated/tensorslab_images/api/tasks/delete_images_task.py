# Made by `make generate` from the vendor's page; never edited by hand.
from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.deletion_reply import DeletionReply
from ...models.failure_reply import FailureReply
from ...models.task_deletion import TaskDeletion
from ...types import Response


def _get_kwargs(
    *,
    body: TaskDeletion,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/images/deleteimagestask",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> DeletionReply | FailureReply | FailureReply | None:
    if response.status_code == 200:

        def _parse_response_200(data: object) -> DeletionReply | FailureReply:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                response_200_type_0 = DeletionReply.from_dict(data)

                return response_200_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            response_200_type_1 = FailureReply.from_dict(data)

            return response_200_type_1

        response_200 = _parse_response_200(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = FailureReply.from_dict(response.json())

        return response_400

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[DeletionReply | FailureReply | FailureReply]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: TaskDeletion,
) -> Response[DeletionReply | FailureReply | FailureReply]:
    """Delete tasks

     Deletes tasks and their pictures at the vendor.

    Args:
        body (TaskDeletion):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[DeletionReply | FailureReply | FailureReply]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: TaskDeletion,
) -> DeletionReply | FailureReply | FailureReply | None:
    """Delete tasks

     Deletes tasks and their pictures at the vendor.

    Args:
        body (TaskDeletion):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        DeletionReply | FailureReply | FailureReply
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: TaskDeletion,
) -> Response[DeletionReply | FailureReply | FailureReply]:
    """Delete tasks

     Deletes tasks and their pictures at the vendor.

    Args:
        body (TaskDeletion):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[DeletionReply | FailureReply | FailureReply]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: TaskDeletion,
) -> DeletionReply | FailureReply | FailureReply | None:
    """Delete tasks

     Deletes tasks and their pictures at the vendor.

    Args:
        body (TaskDeletion):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        DeletionReply | FailureReply | FailureReply
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
