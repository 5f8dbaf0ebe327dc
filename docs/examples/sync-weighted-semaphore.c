/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

int main(void)
{
    go_sem memory = { .size = 10 }; /* ten units */
    if (sem_acquire(NULL, &memory, 7) != 0) {
        return 1;
    }
    printf("%d\n", sem_try_acquire(&memory, 4));
    printf("%d\n", sem_try_acquire(&memory, 3));
    sem_release(&memory, 10);
}
/* Output:
0
1
*/
