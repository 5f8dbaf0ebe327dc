// SPDX-License-Identifier: MIT

package main

import "time"

const ways = 100

var _ = row("select_100", benchSelect100)

// receive100 receives once from any of a hundred channels; Go wants every case written out, and
// reflect.Select would be far slower.
func receive100(c *[ways]chan int) (v int) {
	select {
	case v = <-c[0]:
	case v = <-c[1]:
	case v = <-c[2]:
	case v = <-c[3]:
	case v = <-c[4]:
	case v = <-c[5]:
	case v = <-c[6]:
	case v = <-c[7]:
	case v = <-c[8]:
	case v = <-c[9]:
	case v = <-c[10]:
	case v = <-c[11]:
	case v = <-c[12]:
	case v = <-c[13]:
	case v = <-c[14]:
	case v = <-c[15]:
	case v = <-c[16]:
	case v = <-c[17]:
	case v = <-c[18]:
	case v = <-c[19]:
	case v = <-c[20]:
	case v = <-c[21]:
	case v = <-c[22]:
	case v = <-c[23]:
	case v = <-c[24]:
	case v = <-c[25]:
	case v = <-c[26]:
	case v = <-c[27]:
	case v = <-c[28]:
	case v = <-c[29]:
	case v = <-c[30]:
	case v = <-c[31]:
	case v = <-c[32]:
	case v = <-c[33]:
	case v = <-c[34]:
	case v = <-c[35]:
	case v = <-c[36]:
	case v = <-c[37]:
	case v = <-c[38]:
	case v = <-c[39]:
	case v = <-c[40]:
	case v = <-c[41]:
	case v = <-c[42]:
	case v = <-c[43]:
	case v = <-c[44]:
	case v = <-c[45]:
	case v = <-c[46]:
	case v = <-c[47]:
	case v = <-c[48]:
	case v = <-c[49]:
	case v = <-c[50]:
	case v = <-c[51]:
	case v = <-c[52]:
	case v = <-c[53]:
	case v = <-c[54]:
	case v = <-c[55]:
	case v = <-c[56]:
	case v = <-c[57]:
	case v = <-c[58]:
	case v = <-c[59]:
	case v = <-c[60]:
	case v = <-c[61]:
	case v = <-c[62]:
	case v = <-c[63]:
	case v = <-c[64]:
	case v = <-c[65]:
	case v = <-c[66]:
	case v = <-c[67]:
	case v = <-c[68]:
	case v = <-c[69]:
	case v = <-c[70]:
	case v = <-c[71]:
	case v = <-c[72]:
	case v = <-c[73]:
	case v = <-c[74]:
	case v = <-c[75]:
	case v = <-c[76]:
	case v = <-c[77]:
	case v = <-c[78]:
	case v = <-c[79]:
	case v = <-c[80]:
	case v = <-c[81]:
	case v = <-c[82]:
	case v = <-c[83]:
	case v = <-c[84]:
	case v = <-c[85]:
	case v = <-c[86]:
	case v = <-c[87]:
	case v = <-c[88]:
	case v = <-c[89]:
	case v = <-c[90]:
	case v = <-c[91]:
	case v = <-c[92]:
	case v = <-c[93]:
	case v = <-c[94]:
	case v = <-c[95]:
	case v = <-c[96]:
	case v = <-c[97]:
	case v = <-c[98]:
	case v = <-c[99]:
	}
	return v
}

func benchSelect100(b *bench) {
	times := b.n / ways
	var c [ways]chan int
	for i := range c {
		c[i] = make(chan int)
		go sendAll(c[i], times)
	}
	sum := 0
	start := time.Now()
	for range times * ways {
		sum += receive100(&c)
	}
	b.perOp(start, times*ways)
	if sum != times*ways {
		fail("select_100: wrong sum")
	}
}
