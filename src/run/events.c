/* SPDX-License-Identifier: BSD-2-Clause
 *
 * TensorBoard's event files; see events.h. An Event has wall_time (1, double), step (2, varint), file_version (3) or
 * summary (5), which has a value (1) of tag (1) and simple_value (2, float).
 */
#include "run/events.h"

#include "base/alloc.h"
#include "base/endian.h"
#include "base/error.h"

#include <math.h>
#include <string.h>

enum { TAG_MOST = 64, EVENT_MOST = 192 };

/* Castagnoli's, by bits: there are some hundred bytes a line of the log. */
static uint32_t checksum(const unsigned char *bytes, size_t n)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xa282ead8u; /* masked, so that a file of checksums has other ones */
}

static unsigned char *put(unsigned char *at, uint64_t x, int bytes)
{
    mdm_store_le(at, bytes, x);
    return at + bytes;
}

static unsigned char *put_varint(unsigned char *at, uint64_t x)
{
    for (; x >= 0x80; x >>= 7)
        *at++ = (unsigned char)(x | 0x80);
    *at++ = (unsigned char)x;
    return at;
}

static unsigned char *put_bytes(unsigned char *at, int field, const void *bytes, size_t n)
{
    *at++ = (unsigned char)(field << 3 | 2);
    at = put_varint(at, n);
    memcpy(at, bytes, n);
    return at + n;
}

static unsigned char *put_double(unsigned char *at, double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    *at++ = 1 << 3 | 1;
    return put(at, bits, sizeof bits);
}

static int write_record(struct mdm_appender *a, const unsigned char *event, size_t n)
{
    unsigned char record[EVENT_MOST + 16], *at = put(record, n, 8);

    at = put(at, checksum(record, 8), 4);
    memcpy(at, event, n);
    at = put(at + n, checksum(event, n), 4);
    return mdm_appender_write(a, record, (size_t)(at - record));
}

int mdm_events_open(struct mdm_appender **out, const char *folder, double now)
{
    static const char version[] = "brain.Event:2";
    unsigned char event[EVENT_MOST], *end;
    char name[64], *path;
    int status;

    *out = NULL;
    mdm_format(name, sizeof name, "events.out.tfevents.%.0f.maskdm", now);
    path = mdm_path_join(folder, name);
    status = path ? mdm_appender_open(out, path) : MASKDM_ENOMEM;
    mdm_free(path);
    MDM_TRY(status);
    end = put_bytes(put_double(event, now), 3, version, sizeof version - 1);
    return write_record(*out, event, (size_t)(end - event));
}

/* One that has a value of this name; bytes. */
static size_t make_summary(unsigned char *out, const char *tag, float x)
{
    unsigned char scalar[TAG_MOST + 16], *end = put_bytes(scalar, 1, tag, strnlen(tag, TAG_MOST));
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    *end++ = 2 << 3 | 5;
    end = put(end, bits, sizeof bits);
    return (size_t)(put_bytes(out, 1, scalar, (size_t)(end - scalar)) - out);
}

int mdm_events_add(struct mdm_appender *a, double now, int64_t step, const char *tag, double value)
{
    unsigned char summary[TAG_MOST + 32], event[EVENT_MOST], *end = put_double(event, now);

    if (!isfinite((float)value))
        return MASKDM_OK;
    *end++ = 2 << 3;
    end = put_varint(end, (uint64_t)step);
    end = put_bytes(end, 5, summary, make_summary(summary, tag, (float)value));
    return write_record(a, event, (size_t)(end - event));
}
