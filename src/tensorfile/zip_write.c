/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Zip archives out. Fields that do not fit 32 bits are full of ones and stand in a zip64 record.
 */
#include "tensorfile/zip_write.h"

#include "base/endian.h"
#include "base/error.h"

#include <string.h>

enum { ALIGNMENT = 64, LOCAL = 30, VERSION = 45 /* of the format, which has zip64 */, EXTRA = 4 };
enum {
    SIGN_LOCAL = 0x04034b50,
    SIGN_CENTRAL = 0x02014b50,
    SIGN_END = 0x06054b50,
    SIGN_END64 = 0x06064b50,
    SIGN_LOCATOR = 0x07064b50
};
enum { UTF8 = 0x0800, FIRST_DAY = 0x21 /* 1 January 1980: the format has no "none" */, ZIP64 = 1, PADDING = 0x4246 };

static void add(struct mdm_text *t, int size, uint64_t x)
{
    char field[8];

    mdm_store_le(field, size, x);
    mdm_text_add_n(t, field, (size_t)size);
}

static uint64_t narrow(uint64_t x)
{
    return x < UINT32_MAX ? x : UINT32_MAX;
}

/* What both headers of an entry say alike, from its version to the length of its name. */
static void add_facts(struct mdm_text *t, size_t name, uint64_t size, uint32_t crc)
{
    add(t, 2, VERSION);
    add(t, 2, UTF8);
    add(t, 2, 0); /* stored */
    add(t, 2, 0);
    add(t, 2, FIRST_DAY);
    add(t, 4, crc);
    add(t, 4, narrow(size));
    add(t, 4, narrow(size));
    add(t, 2, name);
}

/* The bytes that follow the header at `at` begin at a multiple of ALIGNMENT. */
static size_t padding(uint64_t at, size_t before)
{
    const size_t over = (size_t)((at + before + EXTRA) % ALIGNMENT);

    return over ? ALIGNMENT - over : 0;
}

static void add_local(struct mdm_text *t, uint64_t at, const char *name, uint64_t size, uint32_t crc)
{
    const size_t length = strlen(name), wide = size >= UINT32_MAX ? EXTRA + 16 : 0;
    const size_t pad = padding(at, LOCAL + length + wide);

    add(t, 4, SIGN_LOCAL);
    add_facts(t, length, size, crc);
    add(t, 2, wide + EXTRA + pad);
    mdm_text_add_n(t, name, length);
    if (wide) {
        add(t, 2, ZIP64);
        add(t, 2, 16);
        add(t, 8, size);
        add(t, 8, size);
    }
    add(t, 2, PADDING);
    add(t, 2, pad);
    for (size_t i = 0; i < pad; i++)
        add(t, 1, 'Z');
}

static void add_central(struct mdm_text *t, uint64_t at, const char *name, uint64_t size, uint32_t crc)
{
    const size_t length = strlen(name), wide = (size >= UINT32_MAX ? 16 : 0) + (at >= UINT32_MAX ? 8 : 0);

    add(t, 4, SIGN_CENTRAL);
    add(t, 2, VERSION);
    add_facts(t, length, size, crc);
    add(t, 2, wide ? EXTRA + wide : 0);
    add(t, 2, 0); /* comment */
    add(t, 2, 0); /* volume */
    add(t, 2, 0);
    add(t, 4, 0); /* attributes */
    add(t, 4, narrow(at));
    mdm_text_add_n(t, name, length);
    if (wide) {
        add(t, 2, ZIP64);
        add(t, 2, wide);
    }
    if (size >= UINT32_MAX) {
        add(t, 8, size);
        add(t, 8, size);
    }
    if (at >= UINT32_MAX)
        add(t, 8, at);
}

int mdm_zip_put(struct mdm_zip_writer *z, const void *bytes, size_t n)
{
    z->at += n;
    return mdm_writer_write(z->file, bytes, n);
}

int mdm_zip_begin(struct mdm_zip_writer *z, const char *name, uint64_t size, uint32_t crc)
{
    struct mdm_text header = {0};
    int status;

    add_local(&header, z->at, name, size, crc);
    add_central(&z->directory, z->at, name, size, crc);
    z->count++;
    status = mdm_text_ok(&header);
    if (status == MASKDM_OK)
        status = mdm_text_ok(&z->directory);
    if (status == MASKDM_OK)
        status = mdm_zip_put(z, header.data, header.length);
    mdm_text_free(&header);
    return status;
}

static void add_end64(struct mdm_text *t, const struct mdm_zip_writer *z, uint64_t size)
{
    add(t, 4, SIGN_END64);
    add(t, 8, 44); /* bytes that follow */
    add(t, 2, VERSION);
    add(t, 2, VERSION);
    add(t, 4, 0); /* volume */
    add(t, 4, 0);
    add(t, 8, z->count);
    add(t, 8, z->count);
    add(t, 8, size);
    add(t, 8, z->at);
    add(t, 4, SIGN_LOCATOR);
    add(t, 4, 0);
    add(t, 8, z->at + size);
    add(t, 4, 1); /* volumes */
}

int mdm_zip_finish(struct mdm_zip_writer *z)
{
    struct mdm_text *t = &z->directory;
    const uint64_t size = t->length, count = z->count < UINT16_MAX ? z->count : UINT16_MAX;

    if (z->count >= UINT16_MAX || size >= UINT32_MAX || z->at >= UINT32_MAX)
        add_end64(t, z, size);
    add(t, 4, SIGN_END);
    add(t, 4, 0); /* volumes */
    add(t, 2, count);
    add(t, 2, count);
    add(t, 4, narrow(size));
    add(t, 4, narrow(z->at));
    add(t, 2, 0); /* comment */
    MDM_TRY(mdm_text_ok(t));
    return mdm_zip_put(z, t->data, t->length);
}

void mdm_zip_drop(struct mdm_zip_writer *z)
{
    mdm_text_free(&z->directory);
}
