/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading a zip archive's index from its end: end record, zip64 end record, central directory.
 */
#include "tensorfile/zip_private.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/endian.h"
#include "base/error.h"
#include "base/sort.h"

#include <string.h>

enum { END = 22, END64 = 56, LOCATOR = 20, LEAST_HEADER = 46 };
enum { SIGN_END = 0x06054b50, SIGN_END64 = 0x06064b50, SIGN_LOCATOR = 0x07064b50 };

/* Whether a field of the short end record agrees with the long one's: equal, or full of ones. */
static int agrees(uint64_t narrow, uint64_t wide, uint64_t ones)
{
    return narrow == wide || narrow == ones;
}

/* The zip64 records, where there are any, stand before the end record and take its place. */
static int read_end64(struct mdm_tensorfile *s, struct mdm_zip_end *e)
{
    unsigned char b[END64 + LOCATOR];
    const unsigned char *locator = b + END64;
    int needed = e->count == UINT16_MAX || e->size == UINT32_MAX || e->at == UINT32_MAX;
    struct mdm_zip_end wide;

    if (e->stop >= sizeof b)
        MDM_TRY(mdm_tensorfile_bytes_at(s, b, sizeof b, e->stop - sizeof b));
    if (e->stop < sizeof b || mdm_load_le(locator, 4) != SIGN_LOCATOR)
        return needed ? mdm_fail(MASKDM_EFORMAT, "the zip64 end record is missing") : MASKDM_OK;
    wide.count = mdm_load_le(b + 32, 8);
    wide.size = mdm_load_le(b + 40, 8);
    wide.at = mdm_load_le(b + 48, 8);
    wide.stop = e->stop - sizeof b;
    if (mdm_load_le(b, 4) != SIGN_END64 || mdm_load_le(b + 4, 8) != END64 - 12 ||
        mdm_load_le(locator + 8, 8) != wide.stop)
        return mdm_fail(MASKDM_EFORMAT, "the zip64 end record is not where its locator says, at byte %llu",
                        (unsigned long long)wide.stop);
    if (mdm_load_le(b + 16, 4) || mdm_load_le(b + 20, 4) || mdm_load_le(locator + 4, 4) ||
        mdm_load_le(locator + 16, 4) != 1)
        return mdm_fail(MASKDM_EFORMAT, "an archive of several volumes");
    if (mdm_load_le(b + 24, 8) != wide.count || !agrees(e->count, wide.count, UINT16_MAX) ||
        !agrees(e->size, wide.size, UINT32_MAX) || !agrees(e->at, wide.at, UINT32_MAX))
        return mdm_fail(MASKDM_EFORMAT, "its two end records contradict each other");
    *e = wide;
    return MASKDM_OK;
}

static int check_end(const struct mdm_zip_end *e, enum mdm_zip_kind kind)
{
    const uint64_t many = kind == MDM_ZIP_ANY ? MDM_ZIP_MANY : 1;
    uint64_t end;

    if (mdm_add_u64(&end, e->at, e->size) || end != e->stop)
        return mdm_fail(MASKDM_EFORMAT,
                        "the central directory, %llu bytes from byte %llu on, does not end at byte %llu, where the "
                        "end record begins",
                        (unsigned long long)e->size, (unsigned long long)e->at, (unsigned long long)e->stop);
    if (e->count > MDM_ZIP_ENTRIES * many)
        return mdm_fail(MASKDM_EFORMAT, "%llu entries; at most %llu are allowed", (unsigned long long)e->count,
                        (unsigned long long)(MDM_ZIP_ENTRIES * many));
    if (e->size > MDM_ZIP_DIRECTORY * many)
        return mdm_fail(MASKDM_EFORMAT, "a central directory of %llu bytes; at most %llu are allowed",
                        (unsigned long long)e->size, (unsigned long long)(MDM_ZIP_DIRECTORY * many));
    if (e->size / LEAST_HEADER < e->count)
        return mdm_fail(MASKDM_EFORMAT, "%llu entries do not fit a central directory of %llu bytes",
                        (unsigned long long)e->count, (unsigned long long)e->size);
    return e->count ? MASKDM_OK : mdm_fail(MASKDM_EFORMAT, "the archive is empty");
}

int mdm_zip_read_end(struct mdm_tensorfile *s, struct mdm_zip_end *e, enum mdm_zip_kind kind)
{
    unsigned char b[END];

    if (s->size < sizeof b)
        return mdm_fail(MASKDM_EFORMAT, "a zip archive has at least %d bytes, this one %llu", END,
                        (unsigned long long)s->size);
    e->stop = s->size - sizeof b;
    MDM_TRY(mdm_tensorfile_bytes_at(s, b, sizeof b, e->stop));
    if (mdm_load_le(b, 4) != SIGN_END || mdm_load_le(b + 20, 2))
        return mdm_fail(MASKDM_EFORMAT, "the zip archive's end record is not at the end of the file, which is cut "
                                        "or has something behind it");
    if (mdm_load_le(b + 4, 2) || mdm_load_le(b + 6, 2))
        return mdm_fail(MASKDM_EFORMAT, "an archive of several volumes");
    e->count = mdm_load_le(b + 10, 2);
    e->size = mdm_load_le(b + 12, 4);
    e->at = mdm_load_le(b + 16, 4);
    if (mdm_load_le(b + 8, 2) != e->count)
        return mdm_fail(MASKDM_EFORMAT, "%llu entries on this volume, %llu in all",
                        (unsigned long long)mdm_load_le(b + 8, 2), (unsigned long long)e->count);
    MDM_TRY(read_end64(s, e));
    return check_end(e, kind);
}

static int by_name(const void *user, int64_t a, int64_t b)
{
    const struct mdm_zip *z = user;

    return strcmp(z->entry[a].name, z->entry[b].name);
}

static int sort_names(struct mdm_zip *z)
{
    mdm_sort_all(z->by_name, z->count, by_name, z);
    for (int64_t i = 1; i < z->count; i++)
        if (by_name(z, z->by_name[i - 1], z->by_name[i]) == 0)
            return mdm_fail(MASKDM_EFORMAT, "entry " MDM_TENSORFILE_SHOWN " comes twice",
                            z->entry[z->by_name[i]].name);
    return MASKDM_OK;
}

static int read_directory(struct mdm_zip *z, struct mdm_tensorfile *s, const struct mdm_zip_end *e,
                          unsigned char *directory, enum mdm_zip_kind kind)
{
    struct mdm_zip_walk w = {.s = s,
                             .directory = directory,
                             .size = (size_t)e->size,
                             .name = z->names,
                             .stop = e->at,
                             .kind = kind};

    MDM_TRY(mdm_tensorfile_bytes_at(s, directory, w.size, e->at));
    for (int64_t i = 0; i < z->count; i++)
        MDM_TRY(mdm_zip_read_entry(&w, &z->entry[i]));
    if (w.at != w.size)
        return mdm_fail(MASKDM_EFORMAT, "the central directory has %zu bytes, of which its %lld entries take %zu",
                        w.size, (long long)z->count, w.at);
    if (w.next != w.stop)
        return mdm_fail(MASKDM_EFORMAT, "the entries end at byte %llu, the central directory begins at %llu",
                        (unsigned long long)w.next, (unsigned long long)w.stop);
    return sort_names(z);
}

int mdm_zip_open(struct mdm_zip *z, struct mdm_tensorfile *s, enum mdm_zip_kind kind)
{
    struct mdm_zip_end e;
    unsigned char *directory;
    int err = MASKDM_ENOMEM;

    memset(z, 0, sizeof *z);
    MDM_TRY(mdm_zip_read_end(s, &e, kind));
    z->count = (int64_t)e.count;
    directory = mdm_need((size_t)e.size, 1, "the directory of an archive");
    z->names = mdm_need((size_t)e.size, 1, "the names of an archive");
    z->entry = mdm_need((size_t)e.count, sizeof *z->entry, "the entries of an archive");
    z->by_name = mdm_need((size_t)e.count, sizeof *z->by_name, "the order of an archive's names");
    if (directory && z->names && z->entry && z->by_name)
        err = read_directory(z, s, &e, directory, kind);
    mdm_free(directory);
    if (err)
        mdm_zip_close(z);
    return err;
}

void mdm_zip_close(struct mdm_zip *z)
{
    mdm_free(z->entry);
    mdm_free(z->by_name);
    mdm_free(z->names);
    memset(z, 0, sizeof *z);
}

const struct mdm_zip_entry *mdm_zip_find(const struct mdm_zip *z, const char *name)
{
    int64_t low = 0, high = z->count;

    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const struct mdm_zip_entry *e = &z->entry[z->by_name[middle]];
        const int order = strcmp(name, e->name);

        if (order == 0)
            return e;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
