"""Content codings of HTTP: zstd by its C library, gzip and deflate."""
import ctypes
import ctypes.util
import zlib

_zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")


class _Buffer(ctypes.Structure):
    """ZSTD_inBuffer and ZSTD_outBuffer."""
    _fields_ = [("bytes", ctypes.c_void_p), ("size", ctypes.c_size_t), ("pos", ctypes.c_size_t)]


for _name, _result, _arguments in (
        ("ZSTD_isError", ctypes.c_uint, [ctypes.c_size_t]),
        ("ZSTD_compressBound", ctypes.c_size_t, [ctypes.c_size_t]),
        ("ZSTD_compress", ctypes.c_size_t,
         [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]),
        ("ZSTD_createDStream", ctypes.c_void_p, []),
        ("ZSTD_freeDStream", ctypes.c_size_t, [ctypes.c_void_p]),
        ("ZSTD_decompressStream", ctypes.c_size_t,
         [ctypes.c_void_p, ctypes.POINTER(_Buffer), ctypes.POINTER(_Buffer)])):
    getattr(_zstd, _name).restype = _result
    getattr(_zstd, _name).argtypes = _arguments


def compress_zstd(data, level=1):
    room = ctypes.create_string_buffer(_zstd.ZSTD_compressBound(len(data)))
    size = _zstd.ZSTD_compress(room, len(room), data, len(data), level)
    return room.raw[:size]


def _decompress_zstd(data):
    stream = _zstd.ZSTD_createDStream()
    room = ctypes.create_string_buffer(1 << 17)
    source = ctypes.create_string_buffer(data, len(data))
    taken = _Buffer(ctypes.cast(source, ctypes.c_void_p), len(data), 0)
    out, left = [], 1
    try:
        while True:
            given = _Buffer(ctypes.cast(room, ctypes.c_void_p), len(room), 0)
            left = _zstd.ZSTD_decompressStream(stream, ctypes.byref(given), ctypes.byref(taken))
            if _zstd.ZSTD_isError(left):
                raise ValueError("not zstd")
            out.append(ctypes.string_at(room, given.pos))
            if taken.pos == taken.size and given.pos < given.size:
                break
    finally:
        _zstd.ZSTD_freeDStream(stream)
    if left != 0:
        raise ValueError("the zstd frame is cut")
    return b"".join(out)


def decode(data, coding):
    """What a body with this Content-Encoding holds; ValueError if it is not that."""
    if coding in ("", "identity"):
        return data
    if coding == "zstd":
        return _decompress_zstd(data)
    if coding in ("gzip", "deflate"):
        try:
            return zlib.decompress(data, 47)
        except zlib.error as error:
            raise ValueError(str(error)) from None
    raise ValueError(f"unknown Content-Encoding {coding}")
