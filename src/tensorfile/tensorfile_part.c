/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parts of a file that have a checksum of their own, the storages of a checkpoint: each is held against it once, when
 * a tensor in it is first read. So that describing a file reads none of them.
 */
#include "tensorfile/tensorfile_private.h"

#include "base/alloc.h"
#include "base/crc32.h"
#include "base/error.h"

enum { CHUNK = 1 << 18 };

int mdm_tensorfile_parts_create(struct mdm_tensorfile *s)
{
    s->crc = mdm_need(1, sizeof *s->crc, "checksums");
    if (!s->crc)
        return MASKDM_ENOMEM;
    mdm_crc32_prepare(s->crc);
    return MASKDM_OK;
}

static int digest_part(struct mdm_tensorfile *s, const struct mdm_tensorfile_part *p, uint32_t *found)
{
    const size_t most = p->size < CHUNK ? (size_t)p->size : CHUNK;
    unsigned char *chunk = mdm_need(most, 1, "checksums");
    int err = chunk ? MASKDM_OK : MASKDM_ENOMEM;

    *found = 0;
    for (uint64_t done = 0, n; done < p->size && !err; done += n) {
        n = p->size - done < most ? p->size - done : most;
        err = mdm_tensorfile_bytes_at(s, chunk, (size_t)n, p->at + done);
        if (!err)
            *found = mdm_crc32_add(s->crc, *found, chunk, (size_t)n);
    }
    mdm_free(chunk);
    return err;
}

/* Several threads may come here for one part at once; each then finds the same. */
int mdm_tensorfile_check_part(struct mdm_tensorfile *s, const struct mdm_tensorfile_tensor *t)
{
    struct mdm_tensorfile_part *p = t->part ? &s->part[t->part - 1] : NULL;
    uint32_t found;

    if (!p || !p->size || atomic_load(&p->good))
        return MASKDM_OK;
    MDM_TRY(digest_part(s, p, &found));
    if (found != p->crc)
        return mdm_fail(MASKDM_EFORMAT,
                        "%s: tensor " MDM_TENSORFILE_SHOWN
                        " is damaged: its storage has checksum %08x instead of %08x",
                        mdm_tensorfile_label(s), t->name, (unsigned)found, (unsigned)p->crc);
    atomic_store(&p->good, 1);
    return MASKDM_OK;
}
