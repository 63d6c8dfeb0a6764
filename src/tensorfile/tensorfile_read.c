/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Elements of a tensor, converted. A type that needs no conversion is read straight into the destination;
 * others go through a small buffer, so that no second copy of a tensor exists.
 */
#include "tensorfile/tensorfile_private.h"

#include "base/checked.h"
#include "base/endian.h"
#include "base/error.h"

#include <string.h>

enum { BUFFER = 8192 };

/* Put the n elements at `in` into `out`, whose first has index `first`. */
typedef int convert(void *out, size_t first, const unsigned char *in, size_t n,
                    const struct mdm_tensorfile_dtype *type);

static int64_t sign_extend(uint64_t bits, int size)
{
    uint64_t sign = (uint64_t)1 << (8 * size - 1);

    return (int64_t)((bits ^ sign) - sign);
}

static int to_f32(void *out, size_t first, const unsigned char *in, size_t n, const struct mdm_tensorfile_dtype *type)
{
    float *y = (float *)out + first;

    /* Integers go to float at once: by way of double they would be rounded twice. */
    for (size_t i = 0; i < n; i++, in += type->size) {
        uint64_t bits = mdm_load_le(in, type->size);
        if (type->kind == MDM_TENSORFILE_FLOAT)
            y[i] = (float)type->real(bits);
        else if (type->kind == MDM_TENSORFILE_SIGNED)
            y[i] = (float)sign_extend(bits, type->size);
        else
            y[i] = (float)bits;
    }
    return MASKDM_OK;
}

static int to_f64(void *out, size_t first, const unsigned char *in, size_t n, const struct mdm_tensorfile_dtype *type)
{
    double *y = (double *)out + first;

    for (size_t i = 0; i < n; i++, in += type->size) {
        uint64_t bits = mdm_load_le(in, type->size);
        if (type->kind == MDM_TENSORFILE_FLOAT)
            y[i] = type->real(bits);
        else if (type->kind == MDM_TENSORFILE_SIGNED)
            y[i] = (double)sign_extend(bits, type->size);
        else
            y[i] = (double)bits;
    }
    return MASKDM_OK;
}

static int to_i64(void *out, size_t first, const unsigned char *in, size_t n, const struct mdm_tensorfile_dtype *type)
{
    int64_t *y = (int64_t *)out + first;

    for (size_t i = 0; i < n; i++, in += type->size) {
        uint64_t bits = mdm_load_le(in, type->size);
        if (type->kind == MDM_TENSORFILE_SIGNED)
            y[i] = sign_extend(bits, type->size);
        else if (mdm_to_i64(&y[i], bits))
            return mdm_fail(MASKDM_EFORMAT, "element %zu is %llu, above %lld", first + i, (unsigned long long)bits,
                            (long long)INT64_MAX);
    }
    return MASKDM_OK;
}

/* What a caller wants: the type that is read without conversion, the kinds that are converted. */
struct target {
    const char *name, *same;
    int size, floats;
    convert *run;
};
static const struct target f32 = {"float", "F32", sizeof(float), 1, to_f32};
static const struct target f64 = {"double", "F64", sizeof(double), 1, to_f64};
static const struct target i64 = {"int64_t", "I64", sizeof(int64_t), 0, to_i64};

/* Byte of the file at which element i of a scattered tensor lies; that all do was checked when it was opened. */
static uint64_t find_element(const struct mdm_tensorfile *s, const struct mdm_tensorfile_tensor *t, uint64_t i,
                             uint64_t size)
{
    uint64_t at = 0;

    for (int d = t->rank; d-- > 0; i /= (uint64_t)t->shape[d])
        at += i % (uint64_t)t->shape[d] * (uint64_t)t->stride[d];
    return s->data_at + t->begin + at * size;
}

/* Where the elements of a scattered tensor go; target NULL: their bytes as they are. */
struct sink {
    void *out;
    const struct mdm_tensorfile_dtype *type;
    const struct target *target;
};

static int take(void *user, size_t first, const unsigned char *bytes, size_t n)
{
    const struct sink *sink = user;
    const size_t size = (size_t)sink->type->size;

    if (sink->target)
        return sink->target->run(sink->out, first, bytes, n, sink->type);
    memcpy((unsigned char *)sink->out + first * size, bytes, n * size);
    return MASKDM_OK;
}

/* The bytes of elements [first, first + count), in row-major order. A part of a scattered tensor is read element by
 * element; whoever wants all of it does well to ask for it at once. */
static int read_bytes(struct mdm_tensorfile *s, const struct mdm_tensorfile_tensor *t, unsigned char *out,
                      size_t first, size_t count, size_t size)
{
    struct sink sink = {out, mdm_tensorfile_dtype_find(t->dtype), NULL};

    if (!t->scattered)
        return mdm_tensorfile_bytes_at(s, out, count * size, s->data_at + t->begin + first * size);
    if (count == (size_t)t->elements)
        return mdm_tensorfile_gather(s, t, take, &sink);
    for (size_t i = 0; i < count; i++)
        MDM_TRY(mdm_tensorfile_bytes_at(s, out + i * size, size, find_element(s, t, first + i, size)));
    return MASKDM_OK;
}

static int name_tensor(const struct mdm_tensorfile *s, const struct mdm_tensorfile_tensor *t, int err)
{
    return err ? mdm_fail_prefix(err, "%s: tensor " MDM_TENSORFILE_SHOWN, mdm_tensorfile_label(s), t->name)
               : MASKDM_OK;
}

/* Elements [start, start + count). */
static int read_converted(struct mdm_tensorfile *s, const struct mdm_tensorfile_tensor *t, void *out, size_t start,
                          size_t count, const struct mdm_tensorfile_dtype *type, const struct target *target)
{
    unsigned char buffer[BUFFER];
    struct sink sink = {out, type, target};
    size_t size = (size_t)type->size;

    if (t->scattered && count == (size_t)t->elements)
        return mdm_tensorfile_gather(s, t, take, &sink);
    for (size_t first = 0, n; first < count; first += n) {
        n = count - first < BUFFER / size ? count - first : BUFFER / size;
        MDM_TRY(read_bytes(s, t, buffer, start + first, n, size));
        MDM_TRY(name_tensor(s, t, target->run(out, first, buffer, n, type)));
    }
    return MASKDM_OK;
}

static int read_as(struct mdm_tensorfile *s, int64_t i, void *out, int64_t first, int64_t count,
                   const struct target *target)
{
    const struct mdm_tensorfile_tensor *t = &s->tensor[i];
    const struct mdm_tensorfile_dtype *type = mdm_tensorfile_dtype_find(t->dtype);

    if (type->kind == MDM_TENSORFILE_OPAQUE || (type->kind == MDM_TENSORFILE_FLOAT && !target->floats))
        return mdm_fail(MASKDM_ENOTSUP, "%s: tensor " MDM_TENSORFILE_SHOWN " is %s, which is not read as %s",
                        mdm_tensorfile_label(s), t->name, t->dtype, target->name);
    MDM_TRY(mdm_tensorfile_check_part(s, t));
    if (type != mdm_tensorfile_dtype_find(target->same))
        return read_converted(s, t, out, (size_t)first, (size_t)count, type, target);
    MDM_TRY(read_bytes(s, t, out, (size_t)first, (size_t)count, (size_t)type->size));
    mdm_swap_le(out, target->size, (size_t)count);
    return MASKDM_OK;
}

static int read_all(struct mdm_tensorfile *s, int64_t i, void *out, int64_t count, const struct target *target)
{
    const struct mdm_tensorfile_tensor *t = &s->tensor[i];

    if (count != t->elements)
        return mdm_fail(MASKDM_ESHAPE, "%s: tensor " MDM_TENSORFILE_SHOWN " has %lld elements, %lld were asked for",
                        mdm_tensorfile_label(s), t->name, (long long)t->elements, (long long)count);
    return read_as(s, i, out, 0, count, target);
}

int mdm_tensorfile_read_f32(struct mdm_tensorfile *s, int64_t i, float *out, int64_t count)
{
    return read_all(s, i, out, count, &f32);
}

int mdm_tensorfile_read_f32_part(struct mdm_tensorfile *s, int64_t i, int64_t first, float *out, int64_t count)
{
    const struct mdm_tensorfile_tensor *t = &s->tensor[i];

    if (first < 0 || count < 0 || first > t->elements || count > t->elements - first)
        return mdm_fail(MASKDM_ESHAPE, "%s: tensor " MDM_TENSORFILE_SHOWN " has %lld elements, not %lld from %lld on",
                        mdm_tensorfile_label(s), t->name, (long long)t->elements, (long long)count, (long long)first);
    return read_as(s, i, out, first, count, &f32);
}

int mdm_tensorfile_read_f64(struct mdm_tensorfile *s, int64_t i, double *out, int64_t count)
{
    return read_all(s, i, out, count, &f64);
}

int mdm_tensorfile_read_i64(struct mdm_tensorfile *s, int64_t i, int64_t *out, int64_t count)
{
    return read_all(s, i, out, count, &i64);
}

int mdm_tensorfile_read(struct mdm_tensorfile *s, int64_t i, void *out, size_t bytes)
{
    const struct mdm_tensorfile_tensor *t = &s->tensor[i];

    if (bytes != t->end - t->begin)
        return mdm_fail(MASKDM_ESHAPE, "%s: tensor " MDM_TENSORFILE_SHOWN " has %llu bytes, %zu were asked for",
                        mdm_tensorfile_label(s), t->name, (unsigned long long)(t->end - t->begin), bytes);
    MDM_TRY(mdm_tensorfile_check_part(s, t));
    return read_bytes(s, t, out, 0, (size_t)t->elements, (size_t)mdm_tensorfile_dtype_find(t->dtype)->size);
}
