/*
 * listen - "HOST:PORT" to a listening socket.
 *
 * Purpose:   HOST is an IPv4 address, an IPv6 address in brackets, or a name;
 *            port 0 picks a free port.
 * Ownership: the caller closes the socket; an HTTP server that was given it
 *            does so itself.
 * Threads:   any.
 * Errors:    ERR_INVALID: not HOST:PORT; ERR_NOT_FOUND: no such host;
 *            ERR_IN_USE: the port is in use; ERR_IO: see errno. Logged, with
 *            the address.
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "status.h"

/* A non-blocking socket; *port is the port it is bound to. "unix:PATH" is a
 * socket in the file system, for the user of the process only; its port is 0,
 * and one that is there already is replaced. */
MUST_CHECK enum status listen_open(const char *host_port, int *fd,
                                   uint16_t *port);

/* True if only this machine can reach it; false also if it is not HOST:PORT. */
bool listen_is_loopback(const char *host_port);

/* True of "unix:PATH". */
bool listen_is_file(const char *host_port);

#endif
