/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers, text, lists, tuples, the memo.
 */
#include "data/cifar_machine.h"

#include "base/error.h"
#include "tensorfile/tensorfile.h"

#include <string.h>

static int push_text(struct mdm_cifar_machine *m, int64_t n)
{
    const uint64_t at = m->at;

    if (n < 0 || (uint64_t)n > m->f->size - m->at)
        return mdm_cifar_damaged(m, "is cut");
    m->at += (uint64_t)n;
    return mdm_cifar_push(m, (struct mdm_cifar_value){.kind = MDM_CIFAR_TEXT, .number = n, .at = at});
}

int mdm_cifar_protocol(struct mdm_cifar_machine *m, unsigned char code)
{
    int64_t version;

    (void)code;
    MDM_TRY(mdm_cifar_number(m, 1, &version));
    return version >= 2 && version <= 5 ? MASKDM_OK : mdm_cifar_damaged(m, "has another protocol than 2 to 5");
}

int mdm_cifar_frame(struct mdm_cifar_machine *m, unsigned char code)
{
    (void)code;
    return mdm_cifar_take(m, 8) ? MASKDM_OK : mdm_error_status();
}

int mdm_cifar_constant(struct mdm_cifar_machine *m, unsigned char code)
{
    return mdm_cifar_push(m, code == 0x88
                                 ? (struct mdm_cifar_value){.kind = MDM_CIFAR_INT, .number = 1}
                                 : (struct mdm_cifar_value){.kind = code == '(' ? MDM_CIFAR_MARK : MDM_CIFAR_NONE});
}

int mdm_cifar_empty(struct mdm_cifar_machine *m, unsigned char code)
{
    return mdm_cifar_push(m, (struct mdm_cifar_value){.kind = code == '}'   ? MDM_CIFAR_DICT
                                                              : code == ']' ? MDM_CIFAR_LIST
                                                                            : MDM_CIFAR_TUPLE,
                                                      .number = m->items});
}

int mdm_cifar_integer(struct mdm_cifar_machine *m, unsigned char code)
{
    struct mdm_cifar_value v = {.kind = MDM_CIFAR_INT};

    MDM_TRY(mdm_cifar_number(m, code == 'K' ? 1 : code == 'M' ? 2 : 4, &v.number));
    if (code == 'J')
        v.number = (int32_t)(uint32_t)v.number;
    return mdm_cifar_push(m, v);
}

/* Text or bytes behind a length of 1, 4 or 8 bytes. */
int mdm_cifar_text(struct mdm_cifar_machine *m, unsigned char code)
{
    const int width = strchr("UC\x8c", code) ? 1 : strchr("\x8d\x8e", code) ? 8 : 4;
    int64_t n;

    MDM_TRY(mdm_cifar_number(m, width, &n));
    return push_text(m, n);
}

static int put_memo(struct mdm_cifar_machine *m, int64_t i)
{
    if (!m->depth || i < 0 || i >= MDM_CIFAR_STACK)
        return mdm_cifar_damaged(m, "remembers what it cannot");
    for (; m->memos <= i; m->memos++)
        m->memo[m->memos] = (struct mdm_cifar_value){.kind = MDM_CIFAR_NONE};
    m->memo[i] = m->stack[m->depth - 1];
    return MASKDM_OK;
}

int mdm_cifar_put(struct mdm_cifar_machine *m, unsigned char code)
{
    int64_t i = m->memos;

    if (code != 0x94)
        MDM_TRY(mdm_cifar_number(m, code == 'q' ? 1 : 4, &i));
    return put_memo(m, i);
}

int mdm_cifar_get(struct mdm_cifar_machine *m, unsigned char code)
{
    int64_t i;

    MDM_TRY(mdm_cifar_number(m, code == 'h' ? 1 : 4, &i));
    return i < m->memos ? mdm_cifar_push(m, m->memo[i]) : mdm_cifar_damaged(m, "recalls what it has not seen");
}

int mdm_cifar_tuple(struct mdm_cifar_machine *m, unsigned char code)
{
    int64_t n = code - 0x84; /* 0x85 to 0x87: of 1 to 3 */

    if (code == 't')
        MDM_TRY(mdm_cifar_gather(m, &n));
    else if (n > m->depth || n > MDM_CIFAR_STACK - m->items)
        return mdm_cifar_damaged(m, "lacks values");
    else {
        m->depth -= n;
        memcpy(m->item + m->items, m->stack + m->depth, (size_t)n * sizeof *m->item);
        m->items += n;
    }
    return mdm_cifar_push(
        m, (struct mdm_cifar_value){.kind = MDM_CIFAR_TUPLE, .number = m->items - n, .at = (uint64_t)n});
}

/* A list that grew before, and not at the end of the items, is moved there. */
int mdm_cifar_append(struct mdm_cifar_machine *m, unsigned char code)
{
    int64_t n = 1, old;
    struct mdm_cifar_value *list;

    if (code == 'e')
        MDM_TRY(mdm_cifar_gather(m, &n));
    else if (m->depth < 1 || m->items == MDM_CIFAR_STACK)
        return mdm_cifar_damaged(m, "lacks values");
    else
        m->item[m->items++] = m->stack[--m->depth];
    if (!m->depth || m->stack[m->depth - 1].kind != MDM_CIFAR_LIST)
        return mdm_cifar_damaged(m, "has items of no list");
    list = &m->stack[m->depth - 1];
    old = (int64_t)list->at;
    if (old && list->number + old != m->items - n) {
        if (old > MDM_CIFAR_STACK - m->items)
            return mdm_cifar_damaged(m, "holds too much");
        /* The new ones stand at the end: they move up, and the old ones come before them. */
        memmove(m->item + m->items - n + old, m->item + m->items - n, (size_t)n * sizeof *m->item);
        memcpy(m->item + m->items - n, m->item + list->number, (size_t)old * sizeof *m->item);
        list->number = m->items - n;
        m->items += old;
    } else if (!old) {
        list->number = m->items - n;
    }
    list->at += (uint64_t)n;
    return MASKDM_OK;
}
