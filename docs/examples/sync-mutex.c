/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static struct {
    go_mutex mu; /* guards balance */
    long balance;
} account;

static bool withdraw(long amount)
{
    guard(&account.mu); /* unlocked at the end of the block, whichever way it is left */
    if (account.balance < amount) {
        return false;
    }
    account.balance -= amount;
    return true;
}

int main(void)
{
    with_lock(&account.mu) { account.balance = 100; }
    bool first = withdraw(70);
    bool second = withdraw(70);
    printf("%d %d\n", first, second);
    mutex_lock(&account.mu);
    printf("%s\n", mutex_trylock(&account.mu) ? "free" : "taken");
    int r = mutex_lock_until(&account.mu, go_now() + GO_MS);
    printf("%d\n", r < 0);
    mutex_unlock(&account.mu);
}
/* Output:
1 0
taken
1
*/
