"""A small shop that takes bookings: the API of README.md over SQLite.

Start it with `python examples/booking/server.py`; `--help` shows what can be set.
"""

import argparse
import secrets
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from shop import ApiError, Book, Shop

HERE = Path(__file__).parent


class NewBooking(BaseModel, extra="forbid"):
    slot: str = Field(max_length=64)
    name: str = Field(min_length=1, max_length=60)


def create_app(shop: Shop, database: Path) -> FastAPI:
    """Plain functions as routes: FastAPI runs each in a thread, so that nobody waits for SQLite."""
    app = FastAPI(title="Bookings")
    app.state.book = Book(shop, database)
    app.include_router(routes)
    app.add_exception_handler(ApiError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    return app


def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    said = {"error": {"code": error.code, "message": str(error)}, **error.more}
    return JSONResponse(said, error.status)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    where = ".".join(str(part) for part in error.errors()[0]["loc"])
    said = {"code": "invalid", "message": f"{where} is missing or wrong."}
    return JSONResponse({"error": said}, 422)


# ---------------------------------------------------------------- routes


def _book(request: Request) -> Book:
    book: Book = request.app.state.book
    return book


def _client(request: Request, authorization: Annotated[str, Header()] = "") -> str:
    given = authorization.removeprefix("Bearer ").encode()
    for key, name in _book(request).shop.keys.items():
        if secrets.compare_digest(key.encode(), given):
            return name
    raise ApiError(401, "unauthorized", "This key is not known.")


TheBook: TypeAlias = Annotated[Book, Depends(_book)]
Client: TypeAlias = Annotated[str, Depends(_client)]
routes = APIRouter()


@routes.get("/services")
def services(client: Client, book: TheBook) -> dict[str, object]:
    return {"services": [book.shop.shown_service(each) for each in book.shop.services]}


@routes.get("/slots")
def slots(client: Client, book: TheBook, date: date, service: str) -> dict[str, object]:
    shop = book.shop
    if service not in shop.services:
        raise ApiError(422, "unknown_service", "There is no such service.")
    free = book.free(date, service)
    later = [] if free else book.later(service, max(date, datetime.now(shop.zone).date()))
    return {
        "slots": [shop.shown(slot) for slot in free],
        "later": [shop.shown(slot) for slot in later],
    }


@routes.get("/slots/{slot}")
def slot(client: Client, book: TheBook, slot: str) -> dict[str, object]:
    found = book.shop.slot(slot)
    book.look(found)
    return book.shop.shown(found)


@routes.post("/bookings", status_code=201)
def new(
    client: Client,
    book: TheBook,
    wanted: NewBooking,
    response: Response,
    idempotency_key: Annotated[str, Header(min_length=1, max_length=200)],
) -> dict[str, object]:
    booking, is_new = book.book(client, wanted.slot, wanted.name, idempotency_key)
    response.status_code = 201 if is_new else 200
    return booking


@routes.get("/bookings")
def bookings(client: Client, book: TheBook) -> dict[str, object]:
    return {"bookings": book.upcoming(client)}


@routes.get("/bookings/{booking}")
def booking(client: Client, book: TheBook, booking: str) -> dict[str, object]:
    return book.booking(client, booking)


@routes.delete("/bookings/{booking}")
def cancel(client: Client, book: TheBook, booking: str) -> dict[str, object]:
    return book.cancel(client, booking)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shop", type=Path, default=HERE / "shop.yml", help="hours and services")
    parser.add_argument(
        "--database", type=Path, default=Path("bookings.db"), help="made if missing"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8200)
    given = parser.parse_args()
    app = create_app(Shop.read(given.shop), given.database)
    uvicorn.run(app, host=given.host, port=given.port)


if __name__ == "__main__":
    main()
