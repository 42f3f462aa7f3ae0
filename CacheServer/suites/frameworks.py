"""Runs clients and frameworks as their documentation shows them, against cache-server.

A line for each: what it is, what was tried, and `works`, or the first error. What is known not to work is
expected not to: the exit status is 1 where one of the others does not work.
"""

import importlib.metadata
import sys
import time

PORT, MEMCACHED_PORT = sys.argv[1], sys.argv[2]
REDIS = f"redis://127.0.0.1:{PORT}"
MEMCACHED = f"127.0.0.1:{MEMCACHED_PORT}"
CHECKS = []


def check(package, what, expected="works"):
    def add(function):
        CHECKS.append((package, what, expected, function))
        return function

    return add


@check("redis", "strings, counters, deadlines, scan")
def redis_strings():
    import redis

    client = redis.Redis.from_url(REDIS + "/1", decode_responses=True)
    assert client.set("a", "1", ex=100) and client.get("a") == "1" and 0 < client.ttl("a") <= 100
    assert client.incr("n", 5) == 5 and client.incrbyfloat("f", 1.5) == 1.5
    assert client.mset({"x": "1", "y": "2"}) and client.mget("x", "none", "y") == ["1", None, "2"]
    assert sorted(client.scan_iter("?")) == ["a", "f", "n", "x", "y"]
    assert client.set("a", "2", nx=True) is None and client.getset("a", "3") == "1"
    assert client.append("a", "4") == 2 and client.getrange("a", 0, -1) == "34"
    assert client.delete("a", "x") == 2 and client.exists("a", "y") == 1
    client.flushdb()


@check("redis", "pipelines and transactions")
def redis_pipeline():
    import redis

    client = redis.Redis.from_url(REDIS, protocol=3)
    with client.pipeline() as pipe:
        assert pipe.set("p", 1).incr("p").get("p").execute() == [True, 2, b"2"]
    with client.pipeline() as pipe:
        pipe.watch("p")
        client.set("p", 7)
        pipe.multi()
        pipe.incr("p")
        try:
            pipe.execute()
            raise AssertionError("a watched key has changed")
        except redis.WatchError:
            pass
    assert client.get("p") == b"7"


@check("redis", "lock", "no scripts")
def redis_lock():
    import redis

    client = redis.Redis.from_url(REDIS)
    with client.lock("lock", timeout=5):
        pass


@check("redis", "a lock by SET NX and DELIFEQ")
def redis_own_lock():
    import redis

    client = redis.Redis.from_url(REDIS)
    assert client.set("own", "token", nx=True, px=5000)
    assert not client.set("own", "other", nx=True, px=5000)
    assert client.execute_command("DELIFEQ", "own", "other") == 0
    assert client.execute_command("DELIFEQ", "own", "token") == 1


@check("redis", "asyncio")
def redis_asyncio():
    import asyncio

    import redis.asyncio

    async def run():
        client = redis.asyncio.Redis.from_url(REDIS)
        await client.set("async", "1")
        values = await asyncio.gather(*[client.get("async") for _ in range(50)])
        assert values == [b"1"] * 50
        await client.aclose()

    asyncio.run(run())


@check("pymemcache", "text commands, flags, CAS, noreply")
def pymemcache_client():
    from pymemcache import serde
    from pymemcache.client.base import Client

    client = Client(MEMCACHED, serde=serde.pickle_serde)
    assert client.set("a", {"k": [1, 2]}, expire=100) and client.get("a") == {"k": [1, 2]}
    value, cas = client.gets("a")
    assert client.cas("a", "new", cas, noreply=False) and not client.cas("a", "x", cas, noreply=False)
    assert client.set_many({"x": "1", "y": "2"}) == [] and client.get_many(["x", "y", "z"]) == {"x": "1", "y": "2"}
    assert client.incr("n", 1) is None and client.set("n", "5", noreply=False)
    assert client.incr("n", 3) == 8 and client.decr("n", 100) == 0
    assert client.touch("x", 50, noreply=False) and client.delete("x", noreply=False)
    assert client.get("y") == "2" and client.version().startswith(b"1.")
    assert client.stats()[b"curr_items"] == 3 and client.flush_all(noreply=False)


@check("pymemcache", "pooled and hashed clients")
def pymemcache_pool():
    from pymemcache.client.base import PooledClient
    from pymemcache.client.hash import HashClient

    client = HashClient([MEMCACHED], use_pooling=True)
    client.set_many({f"k{i}": "v" for i in range(200)})
    assert len(client.get_many([f"k{i}" for i in range(200)])) == 200
    pool = PooledClient(MEMCACHED, max_pool_size=4)
    pool.set("a", b"x" * 500_000)
    assert len(pool.get("a")) == 500_000


@check("python-memcached", "text commands")
def python_memcached():
    import memcache

    client = memcache.Client([MEMCACHED])
    assert client.set("a", (1, 2), time=60) and client.get("a") == (1, 2)
    assert client.set_multi({"x": 1, "y": 2}) == [] and client.get_multi(["x", "y"]) == {"x": 1, "y": 2}
    assert client.incr("x") == 2 and client.delete("y")


def django_cache(backend, location):
    import django
    from django.conf import settings

    if not settings.configured:
        settings.configure(
            CACHES={
                "redis": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS + "/2"},
                "memcached": {
                    "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
                    "LOCATION": MEMCACHED,
                },
                "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS + "/3"},
            },
            SESSION_ENGINE="django.contrib.sessions.backends.cache",
            SECRET_KEY="test",
        )
        django.setup()
    from django.core.cache import caches

    return caches[backend]


def django_check(backend):
    cache = django_cache(backend, None)
    cache.set("a", {"k": 1}, timeout=60)
    assert cache.get("a") == {"k": 1} and cache.add("a", 2) is False and cache.add("b", 1)
    assert cache.incr("b", 4) == 5 and cache.decr("b") == 4
    cache.set_many({"x": 1, "y": 2})
    assert cache.get_many(["x", "y", "z"]) == {"x": 1, "y": 2}
    assert cache.get_or_set("new", lambda: 3) == 3 and cache.touch("a", 10)
    cache.set("v", 1, version=2)
    assert cache.get("v") is None and cache.get("v", version=2) == 1 and "x" in cache
    cache.delete_many(["x", "y"])
    cache.set("gone", 1, timeout=1)
    time.sleep(1.2)
    assert cache.get("gone") is None
    cache.clear()
    assert cache.get("a") is None


@check("Django", "cache with the Redis backend")
def django_redis():
    django_check("redis")


@check("Django", "cache with the memcached backend")
def django_memcached():
    django_check("memcached")


@check("Django", "sessions in the cache")
def django_sessions():
    django_cache("default", None)
    from django.contrib.sessions.backends.cache import SessionStore

    store = SessionStore()
    store["user"] = 5
    store.save()
    again = SessionStore(session_key=store.session_key)
    assert again["user"] == 5
    again.cycle_key()
    assert SessionStore(session_key=again.session_key)["user"] == 5
    again.flush()


def flask_check(config):
    from flask import Flask
    from flask_caching import Cache

    app = Flask("test")
    cache = Cache(app, config=config)
    calls = []

    @cache.memoize(60)
    def double(number):
        calls.append(number)
        return number * 2

    with app.app_context():
        assert double(2) == 4 and double(2) == 4 and calls == [2]
        cache.delete_memoized(double)
        assert double(2) == 4 and calls == [2, 2]
        cache.set_many({"a": 1, "b": 2})
        assert cache.get_many("a", "b") == [1, 2]
        cache.delete_many("a", "b")
        cache.clear()


@check("Flask-Caching", "Redis backend")
def flask_redis():
    flask_check({"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": REDIS + "/4"})


@check("Flask-Caching", "memcached backend")
def flask_memcached():
    flask_check({"CACHE_TYPE": "MemcachedCache", "CACHE_MEMCACHED_SERVERS": [MEMCACHED]})


@check("celery", "result backend cache+memcached, stored and read")
def celery_memcached():
    celery_results(f"cache+memcached://{MEMCACHED}/")


@check("celery", "result backend redis", "no publish and subscribe")
def celery_redis():
    celery_results(REDIS + "/5")


def celery_results(backend):
    from celery import Celery

    app = Celery("test", broker="memory://", backend=backend)
    app.backend.store_result("id", 42, "SUCCESS")
    assert app.AsyncResult("id").get(timeout=3) == 42
    app.AsyncResult("id").forget()


@check("rq", "a queue of jobs", "no lists and hashes")
def rq_queue():
    import redis
    from rq import Queue

    Queue(connection=redis.Redis.from_url(REDIS)).enqueue(print, "x")


@check("aiocache", "Redis backend")
def aiocache_redis():
    import asyncio

    import aiocache

    async def run():
        cache = aiocache.RedisCache(endpoint="127.0.0.1", port=int(PORT))
        await cache.set("a", "1", ttl=10)
        assert await cache.get("a") == "1"
        await cache.multi_set([("x", "1"), ("y", "2")])
        assert await cache.multi_get(["x", "y"]) == ["1", "2"]
        assert await cache.exists("x") and await cache.delete("x") == 1
        await cache.close()

    asyncio.run(run())


def main():
    failures = 0
    print("| package | what | result |\n|---|---|---|")
    for package, what, expected, function in CHECKS:
        try:
            function()
            result = "works"
        except Exception as error:  # Whatever a client raises is the result.
            text = f"{type(error).__name__}: {error}".splitlines()[0]
            result = f"does not work: {text[:110]}"
        is_expected = (result == "works") == (expected == "works")
        if not is_expected:
            failures += 1
        note = "" if expected == "works" else f" (expected: {expected})"
        version = importlib.metadata.version(package)
        print(f"| {package} {version} | {what} | {result}{note}{'' if is_expected else ' — UNEXPECTED'} |", flush=True)
    sys.exit(1 if failures else 0)


main()
