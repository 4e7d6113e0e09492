# Made by `make generate` from the vendor's page; never edited by hand.
from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.failure_reply import FailureReply
from ...models.general_response import GeneralResponse
from ...models.see_dream_v45_body import SeeDreamV45Body
from ...types import Response


def _get_kwargs(
    *,
    body: SeeDreamV45Body,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/images/seedreamv45",
    }

    _kwargs["files"] = body.to_multipart()

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> FailureReply | GeneralResponse | None:
    if response.status_code == 200:

        def _parse_response_200(data: object) -> FailureReply | GeneralResponse:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                response_200_type_0 = GeneralResponse.from_dict(data)

                return response_200_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            response_200_type_1 = FailureReply.from_dict(data)

            return response_200_type_1

        response_200 = _parse_response_200(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[FailureReply | GeneralResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: SeeDreamV45Body,
) -> Response[FailureReply | GeneralResponse]:
    """SeeDreamV4.5

     使用火山引擎SeeDream V4.5模型生成图片，支持批量生成，画质更优

    Args:
        body (SeeDreamV45Body):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[FailureReply | GeneralResponse]
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
    body: SeeDreamV45Body,
) -> FailureReply | GeneralResponse | None:
    """SeeDreamV4.5

     使用火山引擎SeeDream V4.5模型生成图片，支持批量生成，画质更优

    Args:
        body (SeeDreamV45Body):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        FailureReply | GeneralResponse
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: SeeDreamV45Body,
) -> Response[FailureReply | GeneralResponse]:
    """SeeDreamV4.5

     使用火山引擎SeeDream V4.5模型生成图片，支持批量生成，画质更优

    Args:
        body (SeeDreamV45Body):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[FailureReply | GeneralResponse]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: SeeDreamV45Body,
) -> FailureReply | GeneralResponse | None:
    """SeeDreamV4.5

     使用火山引擎SeeDream V4.5模型生成图片，支持批量生成，画质更优

    Args:
        body (SeeDreamV45Body):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        FailureReply | GeneralResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
