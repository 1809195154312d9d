"""Claims, prolongs its claim, and lives until it is killed; run by test_claims.py: python claimer.py URL"""

import sys
import time

from shgat.store import Store

with Store.open(sys.argv[1], timeout=30.0) as store, store.claimed("the killed one", lease=2.0) as mine:
    print("claimed" if mine else "not mine", flush=True)
    time.sleep(600)
