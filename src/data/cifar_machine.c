/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Bytes of the pickle, by way of a window, and the stack.
 */
#include "data/cifar_machine.h"

#include "base/endian.h"
#include "base/error.h"
#include "tensorfile/tensorfile_private.h"

#include <string.h>

int mdm_cifar_damaged(const struct mdm_cifar_machine *m, const char *what)
{
    return mdm_fail(MASKDM_EFORMAT, "no batch of CIFAR's: its pickle %s at byte %llu of %llu", what,
                    (unsigned long long)m->at, (unsigned long long)m->f->size);
}

const unsigned char *mdm_cifar_take(struct mdm_cifar_machine *m, size_t n)
{
    const uint64_t left = m->f->size - m->at;
    const unsigned char *bytes;

    if (n > left) {
        mdm_cifar_damaged(m, "is cut");
        return NULL;
    }
    if (m->at < m->window_at || m->at + n > m->window_at + m->window_size) {
        m->window_at = m->at;
        m->window_size = left < MDM_CIFAR_WINDOW ? (size_t)left : MDM_CIFAR_WINDOW;
        if (mdm_tensorfile_bytes_at(m->f, m->window, m->window_size, m->at) < 0) {
            m->window_size = 0;
            return NULL;
        }
    }
    bytes = m->window + (m->at - m->window_at);
    m->at += n;
    return bytes;
}

int mdm_cifar_number(struct mdm_cifar_machine *m, int n, int64_t *out)
{
    const unsigned char *b = mdm_cifar_take(m, (size_t)n);

    if (!b)
        return mdm_error_status();
    *out = (int64_t)mdm_load_le(b, n);
    return MASKDM_OK;
}

int mdm_cifar_push(struct mdm_cifar_machine *m, struct mdm_cifar_value v)
{
    if (m->depth == MDM_CIFAR_STACK)
        return mdm_cifar_damaged(m, "holds too much");
    m->stack[m->depth++] = v;
    return MASKDM_OK;
}

int mdm_cifar_gather(struct mdm_cifar_machine *m, int64_t *n)
{
    int64_t mark = m->depth;

    while (mark > 0 && m->stack[mark - 1].kind != MDM_CIFAR_MARK)
        mark--;
    if (!mark)
        return mdm_cifar_damaged(m, "lacks a mark");
    *n = m->depth - mark;
    if (*n > MDM_CIFAR_STACK - m->items)
        return mdm_cifar_damaged(m, "holds too much");
    memcpy(m->item + m->items, m->stack + mark, (size_t)*n * sizeof *m->item);
    m->items += *n;
    m->depth = mark - 1;
    return MASKDM_OK;
}
