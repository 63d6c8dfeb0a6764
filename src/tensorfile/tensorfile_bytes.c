/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Bytes of a file, and of its deflated parts. Such a part is unpacked as a whole, into no more memory than it states,
 * which was held against what deflating can save before; and held against its checksum at once.
 */
#include "tensorfile/tensorfile_private.h"

#include "base/alloc.h"
#include "base/crc32.h"
#include "base/error.h"

#include <string.h>
#include <zlib.h>

enum { CHUNK = 1 << 16 };

/* Within the file. */
static int read_at(struct mdm_tensorfile *s, void *out, size_t bytes, uint64_t offset)
{
    if (s->reader)
        return mdm_reader_read_at(s->reader, out, bytes, offset);
    memcpy(out, s->memory + offset, bytes);
    return MASKDM_OK;
}

static voidpf take(voidpf user, uInt count, uInt size)
{
    (void)user;
    return mdm_calloc(count, size);
}

static void give(voidpf user, voidpf memory)
{
    (void)user;
    mdm_free(memory);
}

static int damaged(void)
{
    return mdm_fail(MASKDM_EFORMAT, "deflated bytes that are damaged, cut, or more or less than is stated");
}

/* The first `bytes` bytes; whole: they are all, and end where the packed ones end. */
static int run(struct mdm_tensorfile *s, z_stream *z, uint64_t at, uint64_t packed, unsigned char *out, size_t bytes,
               int whole)
{
    unsigned char chunk[CHUNK], beyond;
    uint64_t read = 0;
    size_t done = 0;

    while (done < bytes || whole) {
        const size_t room = bytes - done < CHUNK ? bytes - done : CHUNK;
        int r;

        if (!z->avail_in && read < packed) {
            z->avail_in = packed - read < CHUNK ? (uInt)(packed - read) : CHUNK;
            z->next_in = chunk;
            MDM_TRY(read_at(s, chunk, z->avail_in, at + read));
            read += z->avail_in;
        }
        z->next_out = room ? out + done : &beyond;
        z->avail_out = room ? (uInt)room : 1;
        r = inflate(z, Z_NO_FLUSH);
        if (r == Z_MEM_ERROR)
            return mdm_fail_memory(CHUNK, "unpacking");
        if ((r != Z_OK && r != Z_STREAM_END) || (!room && !z->avail_out))
            return damaged();
        done += room ? room - z->avail_out : 0;
        if (r == Z_STREAM_END)
            return done == bytes && (!whole || (read == packed && !z->avail_in)) ? MASKDM_OK : damaged();
    }
    return MASKDM_OK;
}

static int inflate_all(struct mdm_tensorfile *s, uint64_t at, uint64_t packed, void *out, size_t bytes, int whole)
{
    z_stream z = {.zalloc = take, .zfree = give};
    int status;

    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return mdm_fail_memory(CHUNK, "unpacking");
    status = run(s, &z, at, packed, out, bytes, whole);
    (void)inflateEnd(&z);
    return status;
}

int mdm_tensorfile_inflate(struct mdm_tensorfile *s, uint64_t packed_at, uint64_t packed, void *out, size_t bytes)
{
    return inflate_all(s, packed_at, packed, out, bytes, 0);
}

/* Two threads may unpack one part at once; the second lets its own go. */
static int unpack(struct mdm_tensorfile *s, struct mdm_tensorfile_part *p)
{
    unsigned char *bytes = mdm_malloc((size_t)p->size), *none = NULL;
    uint32_t found;
    int status;

    if (!bytes)
        return mdm_fail_memory((size_t)p->size, "an unpacked array");
    status = inflate_all(s, p->packed_at, p->packed, bytes, (size_t)p->size, 1);
    found = status < 0 ? p->crc : mdm_crc32_add(s->crc, 0, bytes, (size_t)p->size);
    if (p->crc && found != p->crc)
        status = mdm_fail(MASKDM_EFORMAT, "%s: an entry is damaged: its checksum is %08x instead of %08x",
                          mdm_tensorfile_label(s), (unsigned)found, (unsigned)p->crc);
    if (status < 0 || !atomic_compare_exchange_strong(&p->bytes, &none, bytes))
        mdm_free(bytes);
    else
        atomic_store(&p->good, 1);
    return status;
}

static int read_unpacked(struct mdm_tensorfile *s, void *out, size_t bytes, uint64_t offset)
{
    for (int64_t i = 0; i < s->parts; i++) {
        struct mdm_tensorfile_part *p = &s->part[i];

        if (!p->packed || offset < p->at || offset - p->at > p->size || bytes > p->size - (offset - p->at))
            continue;
        if (!atomic_load(&p->bytes))
            MDM_TRY(unpack(s, p));
        memcpy(out, atomic_load(&p->bytes) + (offset - p->at), bytes);
        return MASKDM_OK;
    }
    return mdm_fail(MASKDM_EFORMAT, "%s: %zu bytes from %llu on are behind its end", mdm_tensorfile_label(s), bytes,
                    (unsigned long long)offset);
}

int mdm_tensorfile_bytes_at(struct mdm_tensorfile *s, void *out, size_t bytes, uint64_t offset)
{
    if (!bytes)
        return MASKDM_OK;
    return offset < s->size ? read_at(s, out, bytes, offset) : read_unpacked(s, out, bytes, offset);
}
