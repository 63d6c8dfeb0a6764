/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fibers: by a few instructions where we know the machine, by ucontext elsewhere.
 */
#include "emulator.h"

#include <sys/mman.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#    include <sanitizer/asan_interface.h>
#    include <sanitizer/common_interface_defs.h>
#endif

/* Frames that the address sanitizer has widened need more. Pages that nobody touches cost nothing. */
static const size_t STACK = 256 * 1024;

static char *map_stack(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *p = mmap(nullptr, STACK + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED || mprotect(p, page, PROT_NONE))
        mdm_emulated_die("no memory for a stack");
    return (char *)p + page;
}

#if defined(__x86_64__) || defined(__aarch64__)

extern "C" void mdm_fiber_change(void **save, void *to);

#    ifdef __x86_64__
enum { SAVED = 6 };
asm(".text\n"
    ".type mdm_fiber_change, @function\n"
    ".hidden mdm_fiber_change\n"
    ".globl mdm_fiber_change\n"
    "mdm_fiber_change:\n"
    "    endbr64\n"
    "    pushq %rbp\n"
    "    pushq %rbx\n"
    "    pushq %r12\n"
    "    pushq %r13\n"
    "    pushq %r14\n"
    "    pushq %r15\n"
    "    movq %rsp, (%rdi)\n"
    "    movq %rsi, %rsp\n"
    "    popq %r15\n"
    "    popq %r14\n"
    "    popq %r13\n"
    "    popq %r12\n"
    "    popq %rbx\n"
    "    popq %rbp\n"
    "    retq\n"
    ".size mdm_fiber_change, . - mdm_fiber_change\n");

/* As after a call, whose return address stands behind a multiple of 16. */
static void *first_frame(char *end, void (*body)(void))
{
    void **p = (void **)end;

    *--p = nullptr;
    *--p = (void *)body;
    for (int i = 0; i < SAVED; i++)
        *--p = nullptr;
    return p;
}
#    else
enum { SAVED = 20 };
asm(".text\n"
    ".type mdm_fiber_change, %function\n"
    ".hidden mdm_fiber_change\n"
    ".globl mdm_fiber_change\n"
    "mdm_fiber_change:\n"
    "    sub sp, sp, #160\n"
    "    stp x19, x20, [sp, #0]\n"
    "    stp x21, x22, [sp, #16]\n"
    "    stp x23, x24, [sp, #32]\n"
    "    stp x25, x26, [sp, #48]\n"
    "    stp x27, x28, [sp, #64]\n"
    "    stp x29, x30, [sp, #80]\n"
    "    stp d8, d9, [sp, #96]\n"
    "    stp d10, d11, [sp, #112]\n"
    "    stp d12, d13, [sp, #128]\n"
    "    stp d14, d15, [sp, #144]\n"
    "    mov x9, sp\n"
    "    str x9, [x0]\n"
    "    mov sp, x1\n"
    "    ldp x19, x20, [sp, #0]\n"
    "    ldp x21, x22, [sp, #16]\n"
    "    ldp x23, x24, [sp, #32]\n"
    "    ldp x25, x26, [sp, #48]\n"
    "    ldp x27, x28, [sp, #64]\n"
    "    ldp x29, x30, [sp, #80]\n"
    "    ldp d8, d9, [sp, #96]\n"
    "    ldp d10, d11, [sp, #112]\n"
    "    ldp d12, d13, [sp, #128]\n"
    "    ldp d14, d15, [sp, #144]\n"
    "    add sp, sp, #160\n"
    "    ret\n"
    ".size mdm_fiber_change, . - mdm_fiber_change\n");

static void *first_frame(char *end, void (*body)(void))
{
    void **p = (void **)end - SAVED;

    for (int i = 0; i < SAVED; i++)
        p[i] = nullptr;
    p[11] = (void *)body; /* x30 */
    return p;
}
#    endif

void mdm_fiber_reset(mdm_fiber *f, void (*body)(void))
{
#    ifdef __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(f->stack, STACK); /* frames that were left and not returned from */
#    endif
    f->at = first_frame((char *)f->stack + STACK, body);
}

void mdm_fiber_make(mdm_fiber *f, void (*body)(void))
{
    f->stack = map_stack();
    mdm_fiber_reset(f, body);
}

/* What a sanitizer has to know of stacks. */
#    ifdef __SANITIZE_ADDRESS__
static const void *main_stack;
static size_t main_size;

/* A fiber's first step has nothing to come back to, and so does not get here: mdm_fiber_began(). */
void mdm_fiber_switch(mdm_fiber *save, mdm_fiber *to)
{
    const void *old;
    size_t old_size;
    void *fake;

    __sanitizer_start_switch_fiber(&fake, to->stack ? to->stack : main_stack, to->stack ? STACK : main_size);
    mdm_fiber_change(&save->at, to->at);
    __sanitizer_finish_switch_fiber(fake, &old, &old_size);
}

void mdm_fiber_began(void)
{
    const void *old;
    size_t old_size;

    __sanitizer_finish_switch_fiber(nullptr, &old, &old_size);
    if (!main_stack || old_size != STACK) {
        main_stack = old;
        main_size = old_size;
    }
}
#    else
void mdm_fiber_switch(mdm_fiber *save, mdm_fiber *to)
{
    mdm_fiber_change(&save->at, to->at);
}

void mdm_fiber_began(void)
{
}
#    endif

#else
#    include <ucontext.h>

static ucontext_t *context_of(mdm_fiber *f)
{
    if (!f->at)
        f->at = new ucontext_t();
    return (ucontext_t *)f->at;
}

void mdm_fiber_reset(mdm_fiber *f, void (*body)(void))
{
    ucontext_t *u = context_of(f);

    getcontext(u);
    u->uc_stack.ss_sp = f->stack;
    u->uc_stack.ss_size = STACK;
    u->uc_link = nullptr;
    makecontext(u, body, 0);
}

void mdm_fiber_make(mdm_fiber *f, void (*body)(void))
{
    f->stack = map_stack();
    f->at = nullptr;
    mdm_fiber_reset(f, body);
}

void mdm_fiber_switch(mdm_fiber *save, mdm_fiber *to)
{
    swapcontext(context_of(save), context_of(to));
}

void mdm_fiber_began(void)
{
}
#endif
