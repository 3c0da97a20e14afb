about="a host firewall's own nftables table drops what is forwarded; accepting it in another table does not help"
truth="cni|forward-drop|n1 table inet hostfw chain forward"
symptom="the endpoints on n2 and n3 time out"
inject() { nft_on n1 add table inet hostfw; nft_on n1 'add chain inet hostfw forward { type filter hook forward priority 0; policy drop; }'; nft_on n1 add rule inet hostfw forward ct state established,related accept; }
bites() { times_out n2 && times_out n3; }
revert() { nft_on n1 delete table inet hostfw; }
