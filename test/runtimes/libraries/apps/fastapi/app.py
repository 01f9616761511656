from contextlib import asynccontextmanager

from fastapi import Cookie, FastAPI, Form, HTTPException, Query, Request, Response, UploadFile
from fastapi.responses import RedirectResponse
from mangum import Mangum
from pydantic import BaseModel, Field

started = []


@asynccontextmanager
async def lifespan(_app):
    started.append("yes")
    yield


app = FastAPI(lifespan=lifespan)


class Item(BaseModel):
    name: str
    price: float = Field(gt=0)


@app.get("/items/{number}")
async def show(number: int, request: Request, tag: list[str] = Query(default=[]), theme: str | None = Cookie(default=None)):
    event, context = request.scope["aws.event"], request.scope["aws.context"]
    return {
        "number": number,
        "tags": tag,
        "theme": theme,
        "client": request.client.host,
        "version": event["version"] if "version" in event else event["requestContext"]["stage"],
        "function": context.function_name,
        "started": started,
    }


@app.post("/items", status_code=201)
async def make(item: Item):
    return {"made": item}


@app.post("/form")
def form(name: str = Form()):
    return {"name": name}


@app.post("/upload")
async def upload(file: UploadFile):
    return {"name": file.filename, "bytes": list(await file.read())}


@app.put("/bytes")
async def reverse(request: Request):
    return Response(bytes(reversed(await request.body())), media_type="image/png")


@app.get("/login")
def login(response: Response):
    response.set_cookie("session", "s1", httponly=True)
    response.set_cookie("theme", "dark")
    return "welcome"


@app.get("/old")
def old():
    return RedirectResponse("/new", status_code=301)


@app.get("/refused")
def refused():
    raise HTTPException(status_code=418, detail="a teapot", headers={"x-pot": "tea"})


@app.get("/fails")
def fails():
    raise RuntimeError("it failed")


handler = Mangum(app)
