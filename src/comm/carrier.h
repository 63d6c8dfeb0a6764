/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What carries bytes between the processes of a communicator. A carrier knows no trainer and does no arithmetic: two
 * exchanges are all that it has, so that sums are in an order of ours whatever lies below. A module opens carriers of
 * one kind. It need not be linked with the library: what it wants of it stands in struct mdm_comm_host, and whether
 * both were built from the same text is looked at before it is called.
 */
#ifndef MASKDM_COMM_CARRIER_H
#define MASKDM_COMM_CARRIER_H

#include "base/error.h"

#include <stdatomic.h>
#include <stddef.h>

enum { MDM_COMM_VERSION = 1 }; /* rises with any change of this text */

struct mdm_comm_host {
    int version;                                                /* MDM_COMM_VERSION */
    size_t size;                                                /* sizeof(struct mdm_comm_host) */
    void *(*need)(size_t count, size_t size, const char *what); /* base/alloc.h */
    void (*free)(void *memory);
    int (*record)(int code, const char *format, ...) MDM_PRINTF(2, 3); /* mdm_fail(); calling thread only */
};

struct mdm_comm_settings {
    double patience;    /* seconds of silence after which a rank is taken to be gone */
    const char *module; /* file of one that is not linked; "": where it is installed */
};

/* What a module makes begins with it. */
struct mdm_carrier {
    const struct mdm_carrier_vtbl *v;
    int rank, size;
    int lost; /* a rank that went away, or -1 */
};

/* Exchanges are collective, of so many bytes in every process, and wait: until all is here, until a rank is lost
 * (MASKDM_EDEVICE, `lost` set), or, where *cancel is not 0, for some seconds more (MASKDM_ECANCELED, with a line).
 * cancel may be NULL. After a failure there is no other exchange. */
struct mdm_carrier_vtbl {
    int version; /* MDM_COMM_VERSION */
    size_t size; /* sizeof(struct mdm_carrier_vtbl) */
    /* all[r] = what rank r has in `mine`. */
    int (*gather)(struct mdm_carrier *c, void *all, const void *mine, size_t bytes, const atomic_int *cancel);
    /* pieces[r] = what rank r has in mine[our rank]; both are as many pieces of `bytes` as there are ranks. */
    int (*swap)(struct mdm_carrier *c, void *pieces, const void *mine, size_t bytes, const atomic_int *cancel);
    /* What it is and which version, borrowed. */
    const char *(*describe)(const struct mdm_carrier *c);
    /* well: no exchange has failed here, so that the others come to this as well; -1: this process was forked from
     * the one that opened it, and only frees memory. */
    void (*close)(struct mdm_carrier *c, int well);
};

struct mdm_comm_module {
    const char *name;
    const struct mdm_carrier_vtbl *v; /* of every carrier that it opens; NULL: it is in a file of its own */
    int (*open)(struct mdm_carrier **out, const struct mdm_comm_host *host, const struct mdm_comm_settings *s);
};

/* What a module in a file of its own has: "const struct mdm_comm_module *mdm_comm_module(void)", in C. */
#define MDM_COMM_ENTRY "mdm_comm_module"

#endif
