/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One entry of a zip archive: what the central directory says of it, and what stands before and behind its bytes.
 * The entries must follow each other without a gap, so that no byte of the file has two meanings or none.
 */
#include "tensorfile/zip_private.h"

#include "base/checked.h"
#include "base/crc32.h"
#include "base/endian.h"
#include "base/error.h"

#include <string.h>

enum { CENTRAL = 46, LOCAL = 30, DESCRIPTOR = 16, DESCRIPTOR64 = 24, MOST_EXTRA = 1024 };
enum { SIGN_CENTRAL = 0x02014b50, SIGN_LOCAL = 0x04034b50, SIGN_DESCRIPTOR = 0x08074b50 };
enum { FLAG_LEVEL = 0x0006, FLAG_DESCRIPTOR = 0x0008, FLAG_UTF8 = 0x0800, ZIP64 = 1 };

/* What both headers of an entry say. */
struct facts {
    unsigned flags, method;
    uint32_t crc;
    uint64_t packed, size;
};

static unsigned load16(const unsigned char *p)
{
    return (unsigned)mdm_load_le(p, 2);
}

static uint32_t load32(const unsigned char *p)
{
    return (uint32_t)mdm_load_le(p, 4);
}

/* n bytes from byte `at` on, all before w->stop; small pieces by way of a block, so that an entry costs one read. */
static int take_bytes(struct mdm_zip_walk *w, void *out, size_t n, uint64_t at)
{
    const uint64_t left = w->stop - at;

    if (n > sizeof w->block)
        return mdm_tensorfile_bytes_at(w->s, out, n, at);
    if (at < w->block_at || at + n > w->block_at + w->block_size) {
        w->block_size = 0;
        w->block_at = at;
        MDM_TRY(mdm_tensorfile_bytes_at(w->s, w->block, left < sizeof w->block ? (size_t)left : sizeof w->block, at));
        w->block_size = left < sizeof w->block ? (size_t)left : sizeof w->block;
    }
    memcpy(out, w->block + (at - w->block_at), n);
    return MASKDM_OK;
}

/* Fields full of ones have their values in the zip64 record of the extra bytes, in this order. */
static int widen(const unsigned char *extra, size_t n, uint64_t *const *field, int fields)
{
    size_t at = 0, length = 0;
    int open = 0;

    for (int i = 0; i < fields; i++)
        open += *field[i] == UINT32_MAX;
    if (!open)
        return 0;
    for (; n - at >= 4; at += 4 + length) {
        length = load16(extra + at + 2);
        if (length > n - at - 4)
            return -1;
        if (load16(extra + at) == ZIP64)
            break;
    }
    if (n - at < 4)
        return -1;
    extra += at + 4;
    for (int i = 0; i < fields; i++)
        if (*field[i] == UINT32_MAX) {
            if (length < 8)
                return -1;
            *field[i] = mdm_load_le(extra, 8);
            extra += 8;
            length -= 8;
        }
    return 0;
}

/* "dir/part/name": no empty part, no "." and no "..", so that no name leaves the folder that it seems to be in. */
static int is_plain(const char *name, size_t n)
{
    size_t begin = 0;

    if (n == 0 || n > MDM_ZIP_NAME || memchr(name, 0, n))
        return 0;
    for (size_t i = 0; i <= n; i++) {
        const size_t length = i - begin;

        if (i < n && name[i] != '/')
            continue;
        if (length == 0 || (length <= 2 && memcmp(name + begin, "..", length) == 0))
            return 0;
        begin = i + 1;
    }
    return 1;
}

/* A folder's name ends in a slash, which is not kept. */
static int take_name(struct mdm_zip_walk *w, struct mdm_zip_entry *e, const unsigned char *name, size_t n)
{
    e->folder = w->kind == MDM_ZIP_ANY && n && name[n - 1] == '/';
    n -= (size_t)e->folder;
    if (!is_plain((const char *)name, n))
        return mdm_fail(MASKDM_EFORMAT, "an entry has the impossible name \"%.*s\" of %zu bytes",
                        (int)(n < 160 ? n : 160), (const char *)name, n);
    memcpy(w->name, name, n);
    w->name[n] = '\0';
    e->name = w->name;
    w->name += n + 1;
    return MASKDM_OK;
}

/* Bytes that deflating makes one of, at most; a little is for its framing. */
enum { DEFLATED = 8, MOST_RATIO = 1032, SLACK = 64 };

static int check_deflated(const struct facts *f, const struct mdm_zip_entry *e)
{
    if (f->packed == 0 || f->size / MOST_RATIO > f->packed + SLACK)
        return mdm_fail(MASKDM_EFORMAT,
                        "entry " MDM_TENSORFILE_SHOWN
                        " is said to unpack to %llu bytes from %llu, more than deflating can save",
                        e->name, (unsigned long long)f->size, (unsigned long long)f->packed);
    return MASKDM_OK;
}

static int check_kind(const struct facts *f, const struct mdm_zip_entry *e, enum mdm_zip_kind kind)
{
    const int may_deflate = kind != MDM_ZIP_STORED;
    const unsigned known = FLAG_DESCRIPTOR | FLAG_UTF8 | (kind == MDM_ZIP_ANY ? FLAG_LEVEL : 0u);

    if (may_deflate && f->method == DEFLATED)
        MDM_TRY(check_deflated(f, e));
    else if (f->method || f->packed != f->size)
        return mdm_fail(MASKDM_EFORMAT,
                        "entry " MDM_TENSORFILE_SHOWN
                        " is not stored as it is%s (method %u, %llu bytes for "
                        "%llu)",
                        e->name, may_deflate ? ", nor deflated" : ", as torch.save does", f->method,
                        (unsigned long long)f->packed, (unsigned long long)f->size);
    if (f->flags & ~known)
        return mdm_fail(MASKDM_EFORMAT,
                        "entry " MDM_TENSORFILE_SHOWN " has flags %#x: encrypted, or of another kind "
                        "than is read",
                        e->name, f->flags);
    return MASKDM_OK;
}

static int contradict(const struct mdm_zip_entry *e, const char *what)
{
    return mdm_fail(MASKDM_EFORMAT,
                    "entry " MDM_TENSORFILE_SHOWN ": its own header and the central directory do not "
                    "agree about its %s",
                    e->name, what);
}

/* The header before the bytes, of which `b` holds the fixed part and the name and the extra bytes follow at `at`. */
static int check_local(struct mdm_zip_walk *w, const struct facts *f, const struct mdm_zip_entry *e,
                       const unsigned char *b, uint64_t at)
{
    unsigned char bytes[MDM_ZIP_NAME + 1];
    const size_t n = strlen(e->name) + (size_t)e->folder, extra = load16(b + 28);
    uint64_t packed = load32(b + 18), size = load32(b + 22), *wide[] = {&size, &packed};
    const uint32_t crc = load32(b + 14);
    const int late = f->flags & FLAG_DESCRIPTOR; /* crc and sizes may be left to what follows the bytes */

    if (load16(b + 6) != f->flags || load16(b + 8) != f->method)
        return contradict(e, "kind");
    if (load16(b + 26) != n)
        return contradict(e, "name");
    MDM_TRY(take_bytes(w, bytes, n, at));
    if (memcmp(bytes, e->name, n - (size_t)e->folder) || (e->folder && bytes[n - 1] != '/'))
        return contradict(e, "name");
    if (packed == UINT32_MAX || size == UINT32_MAX) {
        if (extra > MOST_EXTRA)
            return contradict(e, "size");
        MDM_TRY(take_bytes(w, bytes, extra, at + n));
        if (widen(bytes, extra, wide, 2))
            return contradict(e, "size");
    }
    if ((packed != f->packed && !(late && !packed)) || (size != f->size && !(late && !size)))
        return contradict(e, "size");
    return crc == f->crc || (late && !crc) ? MASKDM_OK : contradict(e, "checksum");
}

/* Behind the bytes, at w->next: checksum and sizes once more, in 4 or in 8 bytes each. */
static int check_descriptor(struct mdm_zip_walk *w, const struct facts *f, const struct mdm_zip_entry *e)
{
    unsigned char b[DESCRIPTOR64] = {0};
    const uint64_t left = w->stop - w->next;

    MDM_TRY(take_bytes(w, b, left < sizeof b ? (size_t)left : sizeof b, w->next));
    if (load32(b) != SIGN_DESCRIPTOR || load32(b + 4) != f->crc)
        return contradict(e, "checksum");
    if (left >= DESCRIPTOR && load32(b + 8) == f->packed && load32(b + 12) == f->size)
        w->next += DESCRIPTOR;
    else if (left >= DESCRIPTOR64 && mdm_load_le(b + 8, 8) == f->packed && mdm_load_le(b + 16, 8) == f->size)
        w->next += DESCRIPTOR64;
    else
        return contradict(e, "size");
    return MASKDM_OK;
}

int mdm_zip_check(const struct mdm_zip_entry *e, const struct mdm_tensorfile *s, const void *bytes)
{
    const uint32_t found = e->crc ? mdm_crc32_add(s->crc, 0, bytes, (size_t)e->size) : 0;

    if (found != e->crc)
        return mdm_fail(MASKDM_EFORMAT,
                        "entry " MDM_TENSORFILE_SHOWN " is damaged: its checksum is %08x instead of %08x", e->name,
                        (unsigned)found, (unsigned)e->crc);
    return MASKDM_OK;
}

/* What is so small that it was read with its header is checked at once. */
static int check_near(const struct mdm_zip_walk *w, struct mdm_zip_entry *e)
{
    const uint64_t end = w->block_at + w->block_size;

    if (e->deflated || e->at < w->block_at || e->at > end || e->size > end - e->at)
        return MASKDM_OK;
    e->checked = 1;
    return mdm_zip_check(e, w->s, w->block + (e->at - w->block_at));
}

/* Header, name, extra bytes, content, descriptor: from w->next to the new w->next. */
static int check_extent(struct mdm_zip_walk *w, const struct facts *f, struct mdm_zip_entry *e, uint64_t offset)
{
    unsigned char b[LOCAL];
    uint64_t end;

    if (offset != w->next)
        return mdm_fail(MASKDM_EFORMAT,
                        "entry " MDM_TENSORFILE_SHOWN " is said to begin at byte %llu, but what is before it ends at "
                        "%llu",
                        e->name, (unsigned long long)offset, (unsigned long long)w->next);
    if (w->stop - offset < LOCAL)
        return contradict(e, "place");
    MDM_TRY(take_bytes(w, b, LOCAL, offset));
    if (load32(b) != SIGN_LOCAL)
        return contradict(e, "place");
    e->at = offset + LOCAL + load16(b + 26) + load16(b + 28);
    if (mdm_add_u64(&end, e->at, f->packed) || end > w->stop)
        return mdm_fail(MASKDM_EFORMAT,
                        "entry " MDM_TENSORFILE_SHOWN
                        " has %llu bytes from byte %llu on, but the entries end at %llu",
                        e->name, (unsigned long long)f->packed, (unsigned long long)e->at,
                        (unsigned long long)w->stop);
    MDM_TRY(check_local(w, f, e, b, offset + LOCAL));
    MDM_TRY(check_near(w, e));
    w->next = end;
    return f->flags & FLAG_DESCRIPTOR ? check_descriptor(w, f, e) : MASKDM_OK;
}

int mdm_zip_read_entry(struct mdm_zip_walk *w, struct mdm_zip_entry *e)
{
    const unsigned char *b = w->directory + w->at;
    const size_t left = w->size - w->at;
    size_t name, extra, total;
    uint64_t offset;
    struct facts f;

    if (left < CENTRAL || load32(b) != SIGN_CENTRAL)
        return mdm_fail(MASKDM_EFORMAT, "no entry at byte %zu of the central directory", w->at);
    name = load16(b + 28);
    extra = load16(b + 30);
    total = CENTRAL + name + extra + load16(b + 32);
    if (total > left)
        return mdm_fail(MASKDM_EFORMAT,
                        "the entry at byte %zu of the central directory has %zu bytes, of which %zu "
                        "are there",
                        w->at, total, left);
    MDM_TRY(take_name(w, e, b + CENTRAL, name));
    f = (struct facts){load16(b + 8), load16(b + 10), load32(b + 16), load32(b + 20), load32(b + 24)};
    offset = load32(b + 42);
    if (load16(b + 34) || widen(b + CENTRAL + name, extra, (uint64_t *[]){&f.size, &f.packed, &offset}, 3))
        return mdm_fail(MASKDM_EFORMAT, "entry " MDM_TENSORFILE_SHOWN " has no place in this file", e->name);
    MDM_TRY(check_kind(&f, e, w->kind));
    e->size = f.size;
    e->packed = f.packed;
    e->deflated = f.method == DEFLATED;
    e->crc = f.crc;
    w->at += total;
    return check_extent(w, &f, e, offset);
}
