/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A TIFF header, one list of 12-byte entries, one entry. Nothing is followed but the offset of that first list, so
 * that there is nothing to loop in.
 */
#include "image/exif.h"

#include <stdint.h>
#include <string.h>

enum {
    ORIENTATION = 0x0112,
    BYTE = 1,
    SHORT = 3,
    LONG = 4,
    HEADER = 8, /* byte order, 42, offset of the first list */
    ENTRY = 12
};

struct tiff {
    const unsigned char *bytes;
    size_t size;
    int big; /* the first byte is the most significant */
};

/* `width` bytes at `at`, which lie inside. */
static uint32_t number(const struct tiff *t, size_t at, int width)
{
    uint32_t v = 0;

    for (int i = 0; i < width; i++)
        v = v << 8 | t->bytes[at + (size_t)(t->big ? i : width - 1 - i)];
    return v;
}

/* The value of an entry that lies inside; writers disagree about the type. */
static uint32_t value(const struct tiff *t, size_t entry)
{
    uint32_t type = number(t, entry + 2, 2);

    if (number(t, entry + 4, 4) != 1)
        return 0;
    return type == SHORT  ? number(t, entry + 8, 2)
           : type == LONG ? number(t, entry + 8, 4)
           : type == BYTE ? number(t, entry + 8, 1)
                          : 0;
}

int mdm_exif_orientation(const unsigned char *bytes, size_t n)
{
    static const char prefix[6] = "Exif\0";
    struct tiff t = {bytes, n, 0};
    size_t at, count, room;
    uint32_t found = 0;

    if (t.size >= sizeof prefix && !memcmp(t.bytes, prefix, sizeof prefix)) {
        t.bytes += sizeof prefix;
        t.size -= sizeof prefix;
    }
    if (t.size < HEADER || t.bytes[0] != t.bytes[1] || (t.bytes[0] != 'I' && t.bytes[0] != 'M'))
        return 0;
    t.big = t.bytes[0] == 'M';
    at = number(&t, 4, 4);
    if (number(&t, 2, 2) != 42 || at < HEADER || at > t.size - 2)
        return 0;
    count = number(&t, at, 2);
    room = (t.size - 2 - at) / ENTRY;
    for (size_t i = 0; i < count && i < room; i++)
        if (number(&t, at + 2 + i * ENTRY, 2) == ORIENTATION)
            found = value(&t, at + 2 + i * ENTRY);
    return found >= 1 && found <= 8 ? (int)found : 0;
}
